use super::*;

/// Parts of messages of libraries, which are not readable.
const RAW: [&str; 16] = [
    "invalid digit",
    "cannot parse integer",
    "too large to fit",
    "non-zero type",
    "is not in ",
    "invalid socket address",
    "expected number at",
    "time unit needed",
    "unknown time unit",
    "Odd number",
    "Invalid character",
    "Invalid string length",
    "component could not be parsed",
    "couldn't parse",
    "cannot parse float",
    "invalid IP address",
];

/// Values that nearly every option rejects.
const WRONG: [&str; 9] = ["?", "0", "-1", "1", "0x", "abc", "99999999999999999999", "1parsec", ""];

/// The options of each command, hidden ones too, as the words of a command line.
fn options() -> Vec<(Vec<String>, String)> {
    fn add(path: &[String], command: &clap::Command, options: &mut Vec<(Vec<String>, String)>) {
        for argument in command.get_arguments().filter(|it| it.get_action().takes_values()) {
            if let Some(long) = argument.get_long() {
                options.push((path.to_owned(), format!("--{long}")));
            }
        }
        for subcommand in command.get_subcommands() {
            add(&[path, &[subcommand.get_name().to_owned()]].concat(), subcommand, options);
        }
    }
    let mut options = Vec::new();
    add(&["quote-helper".to_owned()], &Cli::command(), &mut options);
    options
}

#[test]
fn options_reject_values_with_readable_messages() {
    let mut refused = 0;
    let mut command = Cli::command();
    for (path, option) in options() {
        for value in WRONG {
            let words = [&path[..], &[format!("{option}={value}")]].concat();
            let Err(error) = parse_from(&words, &mut command) else { continue };
            let text = error.to_string();
            let line = text.lines().next().unwrap();
            refused += usize::from(line.contains("invalid value"));
            let raw = RAW.iter().find(|raw| line.contains(**raw));
            assert!(raw.is_none(), "{}: {line}", words.join(" "));
        }
    }
    assert!(refused > 200, "only {refused} values were refused");
}

#[test]
fn rejected_values_are_told_with_the_expected_form() {
    for (line, words) in [
        ("serve --workers 0", "write a number from 1"),
        ("serve --workers x", "write a whole number, for instance 8"),
        ("serve --workers 99999999999999999999", "the number is too large"),
        ("load --clients 0", "write a number from 1 to 1024"),
        ("serve --idle-timeout 5", "write a number and its unit, for instance 500ms, 5s"),
        ("conformance --timeout 0s", "it must be longer than zero"),
        (
            "serve --collateral-listen localhost:1",
            "write ADDRESS:PORT, for instance 127.0.0.1:8081",
        ),
        ("device-plugin --epc-size much", "write a size, for instance 512MiB or 8GiB"),
        ("verify q --mr-enclave 0", "32 bytes in hexadecimal, 64 digits"),
        ("collateral fetch --fmspc 0 --ca processor", "6 bytes in hexadecimal, 12 digits"),
        ("platform init --created x --seed-file f", "for instance 2026-01-31T12:00:00Z"),
    ] {
        let words_of_line = ["quote-helper"].into_iter().chain(line.split(' '));
        let text = parse_from(words_of_line, &mut command()).unwrap_err().to_string();
        assert!(text.contains(words), "{line}: {text}");
    }
}
