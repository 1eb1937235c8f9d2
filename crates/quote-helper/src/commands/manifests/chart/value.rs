//! A value of the chart.

use std::any::TypeId;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use k8s_openapi::api::core::v1::Toleration;
use kubernetes::manifests::{Component, Quantities};
use serde_json::{Value as Json, json};

/// The value of an option.
pub(super) struct Value {
    /// The option without dashes.
    pub(super) option: String,
    /// The option in camel case, in the plural if it may be given several times.
    pub(super) name: String,
    pub(super) description: String,
    pub(super) kind: Kind,
    /// Names of the option's possible values, if it has some.
    pub(super) names: Vec<String>,
    pub(super) default: Json,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Integer,
    Integers,
    Text,
    /// The content of the option's file.
    File,
    Texts,
    Labels,
    Tolerations,
    /// CPU and memory of components.
    Quantities,
    /// Affinities of components.
    Affinities,
}

impl Value {
    /// The only value that is no option: a template cannot derive it from `deployment`.
    pub(super) fn deployment_root() -> Self {
        Self {
            option: "deployment-root".to_owned(),
            name: "deploymentRoot".to_owned(),
            description: "Root certificate of `deployment`, from `quote-helper platform root`. \
                          Give the content of the file: --set-file."
                .to_owned(),
            kind: Kind::File,
            names: Vec::new(),
            default: Kind::File.unset(),
        }
    }

    pub(super) fn of(option: &Arg, command: &Command) -> Self {
        let long = option.get_long().unwrap().to_owned();
        let kind = Kind::of(option);
        let help = option.get_long_help().or(option.get_help()).unwrap().to_string();
        let possible = option.get_possible_values();
        let names = possible.iter().map(|name| name.get_name().to_owned());
        Self {
            name: name(option),
            description: description(&help, kind, command),
            names: match kind {
                Kind::Boolean => Vec::new(),
                _ => names.collect(),
            },
            default: default(&help, &long, kind, command),
            option: long,
            kind,
        }
    }
}

impl Kind {
    fn of(option: &Arg) -> Self {
        let parsed = option.get_value_parser().type_id();
        let is = |id: TypeId| parsed == id;
        let is_list = option.get_value_delimiter().is_some();
        if matches!(option.get_action(), ArgAction::SetTrue) || is(TypeId::of::<bool>()) {
            Self::Boolean
        } else if is(TypeId::of::<PathBuf>()) {
            Self::File
        } else if is(TypeId::of::<Toleration>()) {
            Self::Tolerations
        } else if is(TypeId::of::<(String, String)>()) {
            Self::Labels
        } else if is(TypeId::of::<(Component, Quantities)>()) {
            Self::Quantities
        } else if is(TypeId::of::<(Component, PathBuf)>()) {
            Self::Affinities
        } else if [TypeId::of::<i64>(), TypeId::of::<u32>(), TypeId::of::<u16>()]
            .into_iter()
            .any(is)
        {
            if is_list { Self::Integers } else { Self::Integer }
        } else if matches!(option.get_action(), ArgAction::Append) {
            Self::Texts
        } else {
            Self::Text
        }
    }

    /// The value that means that the option is not given.
    fn unset(self) -> Json {
        match self {
            Self::Boolean => json!(false),
            Self::Integer => json!(0),
            Self::Text | Self::File => json!(""),
            Self::Integers | Self::Texts | Self::Tolerations => json!([]),
            Self::Labels | Self::Quantities | Self::Affinities => json!({}),
        }
    }

    /// The form, where it is another one than the option's.
    fn form(self) -> Option<&'static str> {
        match self {
            Self::File => Some("Give the content of the file: --set-file."),
            Self::Labels => Some("A map."),
            Self::Tolerations => Some("A list, as of a pod."),
            Self::Quantities => Some("A map, for instance {webhook: {cpu: 50m, memory: 64Mi}}."),
            Self::Affinities => Some("A map of affinities, as of a pod, by component."),
            _ => None,
        }
    }
}

fn name(option: &Arg) -> String {
    let name = camel_case(option.get_long().unwrap());
    let is_repeated =
        matches!(option.get_action(), ArgAction::Append) && option.get_value_delimiter().is_none();
    let is_plural = name.ends_with('s') || Kind::of(option) == Kind::Affinities;
    if is_repeated && !is_plural { format!("{name}s") } else { name }
}

fn camel_case(option: &str) -> String {
    let mut words = option.split('-');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_uppercase() + rest
    })
}

/// The option's description, with the names of values instead of options.
fn description(help: &str, kind: Kind, command: &Command) -> String {
    let mut text = help.replace(" May be given several times", "").replace("..", ".");
    text = text.replace("., in order", ", in order").replace(". [default", " [default");
    for option in command.get_arguments() {
        let Some(long) = option.get_long() else { continue };
        for end in [" ", ".", ","] {
            text = text.replace(&format!("--{long}{end}"), &format!("{}{end}", name(option)));
        }
    }
    let sentences = [Some(text.as_str()), kind.form()].into_iter().flatten().map(sentence);
    sentences.collect::<Vec<_>>().join(" ")
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

/// The default that the description names, if the option has that value.
fn default(help: &str, long: &str, kind: Kind, command: &Command) -> Json {
    let named = help.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
    let Some((text, _)) = named.filter(|(text, _)| !text.contains(' ') && kind != Kind::File)
    else {
        return kind.unset();
    };
    let arguments = ["values".to_owned(), format!("--{long}={text}")];
    command.clone().try_get_matches_from(arguments).unwrap();
    match kind {
        Kind::Boolean | Kind::Integer => serde_json::from_str(text).unwrap(),
        _ => json!(text),
    }
}
