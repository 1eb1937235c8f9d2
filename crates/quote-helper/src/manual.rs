//! The ends of `--help` and of manual pages: EXIT STATUS, ENVIRONMENT, FILES, EXAMPLES, SEE ALSO.
//!
//! Each command has a file below `manual/pages`. [`SHARED`] has the words for terms of several
//! commands. A command's `QUOTE_HELPER_*` variables come from its options.

mod page;
mod render;
#[cfg(test)]
mod tests;

use clap::Command;

use self::page::Page;
use self::render::help;
pub(crate) use self::render::roff;

/// Exit codes of every command, and the words for variables and files that pages name.
const SHARED: &str = include_str!("manual/shared.txt");

/// The name and the text of each page below `manual/pages`.
macro_rules! pages {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("manual/pages/", $name, ".txt")))),*]
    };
}

/// The page of each command, named with hyphens, after that of the program itself.
const PAGES: [(&str, &str); 34] = pages![
    "quote-helper" "check" "collateral" "collateral-export" "collateral-fetch" "collateral-import"
    "collateral-list" "collateral-serve" "collateral-status" "completions" "conformance" "demo"
    "device-plugin" "inject" "inspect" "install" "load" "man-pages" "manifests" "platform"
    "platform-collateral" "platform-init" "platform-root" "platform-show" "platform-tcb" "quote"
    "report" "rollback" "serve" "top" "uninstall" "upgrade" "verify" "webhook"
];

/// The described variables, besides those of options.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    SHARED.lines().filter_map(|line| Some(line.split_once("  ")?.0))
}

/// Appends the sections to the long help of each command.
pub(crate) fn with_sections(command: Command) -> Command {
    let name = command.get_name().to_owned();
    describe(command, &name)
}

/// `name`: the name of the command's page.
fn describe(command: Command, name: &str) -> Command {
    let is_program = name == program();
    let command = command.mut_subcommands(|subcommand| {
        let own = subcommand.get_name().to_owned();
        let path = if is_program { own } else { format!("{name} {own}") };
        describe(subcommand, &path)
    });
    match page(name, &command) {
        Some(page) => {
            let help = help(&page, command.get_styles());
            command.after_long_help(help)
        }
        None => command,
    }
}

/// The sections of a command, by the name of its page; hidden commands have none.
pub(crate) fn page(name: &str, command: &Command) -> Option<Page> {
    let (_, text) = PAGES.iter().find(|(page, _)| *page == name.replace(' ', "-"))?;
    Some(Page::parse(text).completed(&Page::parse(SHARED), command))
}

fn program() -> &'static str {
    PAGES.first().map_or("", |(name, _)| name)
}
