//! Settings: flags, then environment variables, then the configuration file.

use std::collections::BTreeSet;

use collateral::settings::OwnSettings;

use crate::support::{Machine, Serve};

/// The configuration that is shipped, in which all is commented out.
const SHIPPED: &str = include_str!("../../../../deploy/config.toml");

/// Settings whose shipped value is an example, since they have no default that one could write.
const EXAMPLES: [&str; 10] = [
    "collateral_listen",
    "metrics_listen",
    "workers",
    "socket_group",
    "writable_paths",
    "allowed_uids",
    "allowed_mrsigners",
    "allowed_mrenclaves",
    "max_connections_per_caller",
    "max_queued_quotes_per_caller",
];

/// What keeps a test's service out of the way of the system's.
const PRIVATE: &str = "serve --config config.toml --platform software --socket aesm.socket \
     --state-dir state --collateral-listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 \
     --log-format json";

/// The settings of the service, and those of the section `[collateral]`.
fn parts() -> (&'static str, &'static str) {
    SHIPPED.split_once("\n[collateral]\n").expect("a section")
}

/// The settings that are commented out in this part: there, no space follows the `#`.
fn settings(part: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let settings = part.lines().filter_map(|line| line.strip_prefix('#'));
    let settings = settings.filter(|line| line.starts_with(|first: char| first.is_lowercase()));
    settings.map(|line| line.split_once(" = ").expect("a setting"))
}

#[test]
fn the_shipped_configuration_sets_nothing() {
    let values: toml::Table = toml::from_str(SHIPPED).unwrap();
    assert_eq!(values, toml::toml! { collateral = {} });
}

#[test]
fn each_line_of_the_shipped_configuration_can_be_uncommented() {
    let lines: Vec<_> =
        settings(parts().0).map(|(key, value)| format!("{key} = {value}")).collect();
    let machine = Machine::new();
    for text in lines.iter().chain([&lines.join("\n"), &SHIPPED.to_owned()]) {
        machine.write("config.toml", text);
        Serve::start(&mut machine.command(PRIVATE));
    }
}

#[test]
fn the_shipped_configuration_has_every_setting_with_its_default() {
    let help = Machine::new().succeed("serve --help").stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let flags: BTreeSet<_> =
        help.split(" --").skip(1).filter_map(|flag| flag.split([' ', ',']).next()).collect();
    let no_settings = BTreeSet::from(["config", "help", "version"]);
    let flags: BTreeSet<_> =
        flags.difference(&no_settings).map(|flag| flag.replace('-', "_")).collect();
    let keys: BTreeSet<_> = settings(parts().0).map(|(key, _)| key.to_owned()).collect();
    assert_eq!(keys, flags);
    for (key, value) in settings(parts().0).filter(|(key, _)| !EXAMPLES.contains(key)) {
        let flag = format!("--{} ", key.replace('_', "-"));
        let text = help.split(&flag).nth(1).unwrap();
        let (_, default) = text.split_once("[default: ").unwrap();
        assert!(default.starts_with(value.trim_matches('"')), "{key} = {value}: {default}");
    }
}

#[test]
fn each_line_about_collateral_can_be_uncommented_and_none_is_missing() {
    let parse = |text: &str| toml::from_str::<OwnSettings>(text);
    for (key, value) in settings(parts().1) {
        let parsed = parse(&format!("{key} = {value}")).unwrap();
        assert_ne!(parsed, OwnSettings::default(), "{key}");
    }
    // The message has all keys, each between backticks.
    let unknown = parse("unknown = 1").unwrap_err().to_string();
    let (_, known) = unknown.split_once("expected one of").unwrap();
    let known: BTreeSet<_> = known.split('`').skip(1).step_by(2).collect();
    assert_eq!(settings(parts().1).map(|(key, _)| key).collect::<BTreeSet<_>>(), known);
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let machine = Machine::new();
    machine.write("config.toml", "socket = 'of-the-file'\nlog_format = 'json'\n");
    let serve = "serve --config config.toml --platform software --state-dir state";
    let serves_at = |name: &str, line: &str, variables: &[(&str, &str)]| {
        let serve = Serve::start(machine.command(line).envs(variables.iter().copied()));
        assert!(machine.path(name).exists(), "{name}");
        drop(serve);
        std::fs::remove_file(machine.path(name)).unwrap();
    };
    let variable = [("QUOTE_HELPER_SOCKET", "of-the-variable")];
    serves_at("of-the-file", serve, &[]);
    serves_at("of-the-variable", serve, &variable);
    serves_at("of-the-flag", &format!("{serve} --socket of-the-flag"), &variable);
    let file = [("QUOTE_HELPER_CONFIG", "config.toml")];
    serves_at("of-the-file", &serve.replace("--config config.toml", ""), &file);
}

#[test]
fn a_configuration_that_cannot_be_understood_is_an_error() {
    for (text, reason) in [
        ("sokcet = 'a'", "unknown field `sokcet`, expected one of `platform`, `dcap_library`"),
        ("platform = 1", "line 1, column 12"),
        ("platform = 'hardware'", "unknown platform `hardware`; expected `dcap` or `software`"),
        ("platform = 'auto'", "the platform `auto` was removed"),
        ("max_connections = 'many'", "expected a nonzero usize"),
        ("max_connections = 0", "expected a nonzero usize"),
        ("max_connections = -1", "expected a nonzero usize"),
        ("idle_timeout = 60", "expected a string"),
        ("idle_timeout = '1 parsec'", "unknown time unit \"parsec\""),
        ("metrics_listen = '17490'", "\"17490\" is neither ADDRESS:PORT nor the path"),
        ("allowed_uids = ['root']", "expected u32"),
        ("allowed_mrsigners = 'ab'", "expected a sequence"),
        ("allowed_mrenclaves = ['ab']", "\"ab\" is not 64 hexadecimal digits"),
        ("socket", "line 1"),
    ] {
        let machine = Machine::new();
        machine.write("config.toml", text);
        let ended = machine.run(PRIVATE).with_code(1);
        ended.says(&["the configuration config.toml is wrong", reason]);
        assert!(!machine.path("state").exists(), "{text}: it had begun");
    }
}

#[test]
fn a_configuration_that_was_asked_for_must_be_there() {
    Machine::new().run(PRIVATE).with_code(1).says(&["cannot read the configuration config.toml"]);
}
