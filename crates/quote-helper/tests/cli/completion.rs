//! Completion in shells: lines are typed into them, with the tab key.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Machine, present_or_skipped};

/// Typed lines, and the completed last word.
const LINES: [(&str, &str); 15] = [
    ("ver", "verify"),
    ("collateral exp", "export"),
    ("platform tcb --rai", "--raise"),
    ("verify q.bin --accept-tcb-status SWH", "SWHardeningNeeded"),
    ("verify q.bin --refuse-platform-feature dyn", "dynamic-platform"),
    ("serve --platform sof", "software"),
    ("load --operation key", "key-ids"),
    ("collateral list --output js", "json"),
    ("completions fi", "fish"),
    ("verify q.b", "q.bin"),
    ("verify deeper/coll", "deeper/collateral.json"),
    ("verify q.bin --trusted-root deeper/ro", "deeper/root.pem"),
    ("inspect my\\ qu", "my quote.bin"),
    // Hidden commands are not offered.
    ("wor", "wor"),
    ("ow", "ow"),
];

/// Completes a file with a name in the home directory only.
fn machine() -> Machine {
    let machine = Machine::new();
    std::fs::create_dir(machine.path("deeper")).unwrap();
    for file in ["q.bin", "my quote.bin", "deeper/collateral.json", "deeper/root.pem"] {
        machine.write(file, "");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = machine.succeed(&format!("completions {shell}")).stdout;
        machine.write(&format!("completions.{shell}"), script);
    }
    std::fs::create_dir(machine.path("functions")).unwrap();
    std::fs::copy(machine.path("completions.zsh"), machine.path("functions/_quote-helper"))
        .unwrap();
    machine
}

/// A shell at a terminal of its own, in which `quote-helper` prints the last word.
fn typed(machine: &Machine, shell: &str, begin: &str, keys: &str) -> String {
    machine.write("begin", begin);
    let mut script = Command::new("script");
    script.args(["--quiet", "--command", shell, "/dev/null"]).current_dir(machine.path(""));
    script
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", machine.path(""))
        .env("TERM", "xterm");
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = script.spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    stdin.write_all(b". ./begin\n").unwrap();
    for line in keys.lines() {
        await_prompt(&mut stdout, &mut shown);
        stdin.write_all(line.as_bytes()).unwrap();
        stdin.write_all(b"\n").unwrap();
    }
    await_prompt(&mut stdout, &mut shown);
    stdin.write_all(b"exit\n").unwrap();
    drop(stdin);
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}

/// Reads until the shell's prompt.
fn await_prompt(stdout: &mut impl Read, shown: &mut Vec<u8>) {
    const PROMPT: &[u8] = b"READY";
    let begin = shown.len();
    let mut byte = [0];
    while !shown[begin..].windows(PROMPT.len()).any(|window| window == PROMPT) {
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(shown));
        shown.push(byte[0]);
    }
}

#[track_caller]
fn completes(machine: &Machine, shell: &str, begin: &str) {
    let keys: String = LINES.iter().map(|(line, _)| format!("quote-helper {line}\t\n")).collect();
    let shown = typed(machine, shell, begin, &keys);
    let last = |line: &'_ str| Some(line.split_once("last:")?.1.strip_suffix(':')?.to_owned());
    let last: Vec<_> = shown.lines().filter_map(last).collect();
    assert_eq!(last, LINES.map(|(_, word)| word), "{shown}");
}

#[test]
fn bash_completes() {
    let begin = "quote-helper() { printf 'last:%s:\\n' \"${@: -1}\"; }\n\
                 . ./completions.bash\nPS1='REA''DY> '\n";
    completes(&machine(), "bash --norc --noprofile -i", begin);
}

#[test]
fn zsh_completes_by_the_file_that_is_installed() {
    if !is_here("zsh") {
        return;
    }
    let begin = "fpath=($PWD/functions $fpath)\nautoload -Uz compinit\ncompinit -u -D\n\
                 quote-helper() { print -r -- \"last:${@[-1]}:\" }\nPS1='REA''DY> '\n";
    completes(&machine(), "zsh -f -i", begin);
}

#[test]
fn zsh_completes_by_the_script_that_is_sourced() {
    if !is_here("zsh") {
        return;
    }
    let begin = "autoload -Uz compinit\ncompinit -u -D\n. ./completions.zsh\n\
                 quote-helper() { print -r -- \"last:${@[-1]}:\" }\nPS1='REA''DY> '\n";
    completes(&machine(), "zsh -f -i", begin);
}

#[test]
fn fish_completes() {
    if !is_here("fish") {
        return;
    }
    let machine = machine();
    let complete = |line: &str| {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "--command"]);
        fish.arg("source completions.fish; complete --do-complete \"quote-helper $argv\"");
        fish.arg(line).current_dir(machine.path("")).env("HOME", machine.path(""));
        let shown = fish.output().unwrap().stdout;
        let shown = String::from_utf8(shown).unwrap();
        let words = shown.lines().map(|line| line.split('\t').next().unwrap().replace('\\', ""));
        words.collect::<Vec<_>>()
    };
    for (line, word) in LINES {
        let is_hidden = line.ends_with(word);
        let expected = if is_hidden { vec![] } else { vec![word.to_owned()] };
        assert_eq!(complete(line), expected, "{line}");
    }
}

#[test]
fn completions_are_the_visible_commands_and_their_options() {
    let machine = machine();
    let offered = |words: &[&str]| {
        let index = (words.len() + 1).to_string();
        let mut command = machine.command("");
        command.env("_QUOTE_HELPER_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index);
        command.env("_CLAP_IFS", "\n").arg("--").arg("quote-helper").args(words).arg("");
        let output = command.output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        shown.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let commands = offered(&[]);
    for command in ["serve", "quote", "verify", "collateral", "platform", "help"] {
        assert!(commands.iter().any(|offered| offered == command), "{commands:?}");
    }
    for command in ["worker", "chown"] {
        assert!(commands.iter().all(|offered| offered != command), "{commands:?}");
    }
    let statuses = offered(&["verify", "q.bin", "--accept-tcb-status"]);
    // UpToDate is always accepted, and Revoked never.
    assert_eq!(statuses.len(), verify::TcbStatus::ALL.len() - 2, "{statuses:?}");
    assert!(!statuses.iter().any(|status| status == "Revoked"), "{statuses:?}");
}

/// True if this shell is installed, which CI requires.
#[track_caller]
fn is_here(shell: &str) -> bool {
    present_or_skipped(Path::new("/usr/bin").join(shell).exists(), shell)
}
