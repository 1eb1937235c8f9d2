//! Wrong command lines: exit code 2 and the reason.

use crate::support::{Machine, RunResult};

#[test]
fn a_wrong_command_line_is_rejected_before_anything_is_done() {
    let machine = Machine::new();
    for (line, reason) in [
        ("", "Usage: quote-helper <COMMAND>"),
        ("sevre", "unrecognized subcommand 'sevre'"),
        ("serve --sokcet a", "unexpected argument '--sokcet'"),
        ("serve --platform hardware", "unknown platform `hardware`; expected `dcap` or `software`"),
        ("serve --platform auto", "the platform `auto` was removed"),
        ("quote --platform auto --report-data 07 --out q.bin", "the platform `auto` was removed"),
        ("serve --max-connections many", "--max-connections"),
        ("serve --max-connections 0", "--max-connections"),
        ("serve --workers 0", "--workers"),
        ("serve --idle-timeout 1parsec", "write a number and its unit, for instance 500ms, 5s"),
        ("serve --collateral-listen localhost", "write ADDRESS:PORT, for instance 127.0.0.1:8081"),
        ("quote --out q.bin", "--report <FILE>"),
        ("quote --report-data 07", "--out <FILE>"),
        ("quote --report-data xy --out q.bin", "two for each byte"),
        ("quote --socket a --in-process --report-data 07 --out q.bin", "cannot be used with"),
        ("quote --report r.bin --report-data 07 --out q.bin", "cannot be used with"),
        ("verify q.bin --collateral c.json --source http://u", "cannot be used with"),
        ("verify q.bin --collateral c.json --pccs http://u", "cannot be used with"),
        ("report --socket a --target-info t.bin --out r.bin", "cannot be used with"),
        ("report --mr-enclave 07 --out r.bin", "--mr-enclave"),
        ("report --config-id 07 --out r.bin", "expected 64 bytes in hexadecimal, 128 digits"),
        ("verify q.bin --collateral c.json --mr-enclave 00", "--mr-enclave"),
        (
            "verify q.bin --collateral c.json --accept-tcb-status Fine",
            "expected one of SWHardeningNeeded",
        ),
        (
            "verify q.bin --refuse-platform-feature turbo",
            "expected dynamic-platform, cached-keys or smt",
        ),
        ("verify q.bin --collateral c.json --time tomorrow", "--time"),
        ("platform init --seed 00", "unexpected argument '--seed'"),
        ("platform init --created 2026-01-31T12:00:00Z", "--seed-file <FILE>"),
        ("load --clients 0", "write a number from 1 to 1024"),
        ("device-plugin --resource-profile amazon", "expected azure, intel or aliyun"),
        ("device-plugin --resource-profile azure,intel", "would both get the rest"),
        ("device-plugin --resource-profile azure=much", "\"much\" is not a size"),
        ("device-plugin --epc-size much", "--epc-size"),
        ("device-plugin --epc-size 1GiB --software-epc 1GiB", "cannot be used with"),
        ("device-plugin --aesm-dir a --no-aesm-dir", "cannot be used with"),
        ("device-plugin --provision-limit 10001", "--provision-limit"),
    ] {
        let ended = machine.run(line).with_code(2);
        ended.says(&[reason]);
        assert_eq!(ended.stdout, "", "{line}");
    }
    assert_eq!(std::fs::read_dir(machine.path("")).unwrap().count(), 0);
}

#[test]
fn report_data_has_64_bytes_at_the_most() {
    let line = format!("quote --report-data {} --out q.bin", "07".repeat(65));
    Machine::new().run(&line).with_code(2).says(&["at most 64 bytes, not 65"]);
}

#[test]
fn a_variable_is_checked_as_the_flag_is() {
    let machine = Machine::new();
    let mut command = machine.command("serve");
    RunResult::of(command.env("QUOTE_HELPER_IDLE_TIMEOUT", "1parsec")).with_code(2).says(&[
        "QUOTE_HELPER_IDLE_TIMEOUT",
        "1parsec",
        "write a number and its unit",
    ]);
}

#[test]
fn every_command_has_help_with_the_exit_codes_at_the_top() {
    let machine = Machine::new();
    let top = machine.succeed("--help").stdout;
    for code in 0..=7 {
        assert!(top.contains(&format!("\n  {code}  ")), "{top}");
    }
    for command in ["demo", "serve", "quote", "verify", "inspect", "platform init", "load"] {
        let help = machine.succeed(&format!("{command} --help")).stdout;
        assert!(help.contains(&format!("Usage: quote-helper {command}")), "{help}");
    }
}
