//! Settings: flags, then environment variables, then the configuration file.

use std::collections::BTreeSet;

use collateral::settings::PartialSettings;

use crate::support::{Machine, RunResult, Serve};

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

/// Options that keep a test's service apart from the system's.
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
    let no_settings = BTreeSet::from(["check-config", "config", "help", "version"]);
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
    let parse = |text: &str| toml::from_str::<PartialSettings>(text);
    for (key, value) in settings(parts().1) {
        let parsed = parse(&format!("{key} = {value}")).unwrap();
        assert_ne!(parsed, PartialSettings::default(), "{key}");
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
        ("sokcet = 'a'", "line 1: unknown setting sokcet; did you mean socket?"),
        ("platform = 1", "line 1: platform = 1: write \"dcap\" or \"software\", with the quotes"),
        ("platform = 'hardware'", "unknown platform `hardware`; expected `dcap` or `software`"),
        ("platform = 'auto'", "the platform `auto` was removed"),
        ("max_connections = 'many'", "max_connections = 'many': write a whole number from 1"),
        ("max_connections = 0", "max_connections = 0: write a whole number from 1"),
        ("max_connections = -1", "max_connections = -1: write a whole number from 1"),
        ("idle_timeout = 60", "idle_timeout = 60: write a time in quotes, such as \"60s\""),
        ("idle_timeout = '1 parsec'", "unknown time unit \"parsec\""),
        ("metrics_listen = '17490'", "\"17490\" is neither ADDRESS:PORT nor the path"),
        ("allowed_uids = ['root']", "allowed_uids = ['root']: write numbers of users"),
        ("allowed_mrsigners = 'ab'", "allowed_mrsigners = 'ab': write measurements in quotes"),
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

#[test]
fn a_configuration_is_checked_without_a_start() {
    let machine = Machine::new();
    let check = "serve --check-config --config config.toml";
    machine.write("config.toml", "platform = 'software'\n[collateral]\nretries = 3\n");
    let good = machine.succeed(check);
    assert_eq!(good.stdout, "the configuration config.toml is good\n");
    // Everything that is wrong is told, not the first thing alone.
    machine.write("config.toml", "request_timeout = 5\n[collateral]\ntimout = '5s'\n");
    machine.run(check).with_code(1).says(&[
        "error: config.toml, line 1: request_timeout = 5: write a time in quotes, such as \"5s\"\n",
        "error: config.toml, line 3: unknown setting timout; did you mean timeout?\n",
        "the configuration config.toml is wrong\n",
    ]);
    machine.write("config.toml", "socket_group = 'no such group'\ncollateral_listen = '[::]:1'\n");
    let mut both = machine.command(check);
    both.env("QUOTE_HELPER_COLLATERAL_RETRIES", "x");
    RunResult::of(&mut both).with_code(1).says(&[
        "no such group",
        "--collateral-listen serves the software platform's collateral",
        "the variable QUOTE_HELPER_COLLATERAL_RETRIES: \"x\"",
    ]);
    let of_server = "collateral serve --check-config --state-dir server --config config.toml";
    machine.write("config.toml", "");
    machine.write("token", "password");
    machine.succeed(of_server);
    machine
        .run(&format!("{of_server} --user-token-file token --tls-certificate a --tls-key b"))
        .with_code(1)
        .says(&["error: cannot read a: No such file", "error: token does not hold the SHA-512"]);
    assert!(!machine.path("state").exists() && !machine.path("server").exists());
}

#[test]
fn variables_that_are_wrong_or_unknown_are_named() {
    let machine = Machine::new();
    let wrong = |name: &str, value: &str| {
        RunResult::of(machine.command(PRIVATE).env(name, value)).with_code(2)
    };
    wrong("QUOTE_HELPER_REQUEST_TIMEOUT", "5")
        .says(&["invalid value '5' for 'QUOTE_HELPER_REQUEST_TIMEOUT'"]);
    wrong("QUOTE_HELPER_AFTER_HAND_OVER", "stay").says(&["for 'QUOTE_HELPER_AFTER_HAND_OVER'"]);
    // A mistake in the command line is named by its option.
    RunResult::of(
        machine
            .command(&format!("{PRIVATE} --request-timeout 5"))
            .env("QUOTE_HELPER_REQUEST_TIMEOUT", "5s"),
    )
    .with_code(2)
    .says(&["for '--request-timeout <TIME>'"]);
    machine.write("config.toml", "");
    let mut command = machine.command(PRIVATE);
    command.env("QUOTE_HELPER_SOKET", "/x").env("QUOTE_HELPER_LOG", "info");
    let serve = Serve::start(&mut command);
    serve.signal(rustix::process::Signal::TERM);
    let (_, log) = serve.wait();
    let warning =
        "nothing reads the variable QUOTE_HELPER_SOKET; did you mean QUOTE_HELPER_SOCKET?";
    assert_eq!(log.matches("nothing reads the variable").count(), 1, "{log}");
    assert!(log.contains(warning), "{log}");
}
