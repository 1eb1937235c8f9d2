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

/// The page of each command, after that of the program itself.
const PAGES: [(&str, &str); 32] = [
    ("quote-helper", include_str!("manual/pages/quote-helper.txt")),
    ("check", include_str!("manual/pages/check.txt")),
    ("collateral", include_str!("manual/pages/collateral.txt")),
    ("collateral export", include_str!("manual/pages/collateral-export.txt")),
    ("collateral fetch", include_str!("manual/pages/collateral-fetch.txt")),
    ("collateral import", include_str!("manual/pages/collateral-import.txt")),
    ("collateral list", include_str!("manual/pages/collateral-list.txt")),
    ("collateral serve", include_str!("manual/pages/collateral-serve.txt")),
    ("collateral status", include_str!("manual/pages/collateral-status.txt")),
    ("completions", include_str!("manual/pages/completions.txt")),
    ("demo", include_str!("manual/pages/demo.txt")),
    ("device-plugin", include_str!("manual/pages/device-plugin.txt")),
    ("inject", include_str!("manual/pages/inject.txt")),
    ("inspect", include_str!("manual/pages/inspect.txt")),
    ("install", include_str!("manual/pages/install.txt")),
    ("load", include_str!("manual/pages/load.txt")),
    ("man-pages", include_str!("manual/pages/man-pages.txt")),
    ("manifests", include_str!("manual/pages/manifests.txt")),
    ("platform", include_str!("manual/pages/platform.txt")),
    ("platform collateral", include_str!("manual/pages/platform-collateral.txt")),
    ("platform init", include_str!("manual/pages/platform-init.txt")),
    ("platform root", include_str!("manual/pages/platform-root.txt")),
    ("platform show", include_str!("manual/pages/platform-show.txt")),
    ("platform tcb", include_str!("manual/pages/platform-tcb.txt")),
    ("quote", include_str!("manual/pages/quote.txt")),
    ("report", include_str!("manual/pages/report.txt")),
    ("serve", include_str!("manual/pages/serve.txt")),
    ("top", include_str!("manual/pages/top.txt")),
    ("uninstall", include_str!("manual/pages/uninstall.txt")),
    ("upgrade", include_str!("manual/pages/upgrade.txt")),
    ("verify", include_str!("manual/pages/verify.txt")),
    ("webhook", include_str!("manual/pages/webhook.txt")),
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
    let (_, text) = PAGES.iter().find(|(page, _)| *page == name)?;
    Some(Page::parse(text).completed(&Page::parse(SHARED), command))
}

fn program() -> &'static str {
    PAGES.first().map_or("", |(name, _)| name)
}
