//! `quote-helper`: SGX quotes from one service per machine.

mod check_config;
mod cli;
mod cluster;
mod commands;
mod endorsements;
mod environment;
mod failure;
mod files;
mod listen;
mod manual;
mod memory_limit;
mod objects;
mod output;
mod quote_inputs;
mod quote_source;
mod reload;
mod runtime;
#[cfg(test)]
mod schemas;
mod server_process;
mod service_manager;
mod settings;
mod shutdown;
mod software_enclave;
mod sources;
mod values;
mod watchdog;

use std::process::ExitCode;

use crate::failure::Failure;

fn main() -> ExitCode {
    if let Some(exit_code) = commands::completions::answer_shell(cli::command) {
        return exit_code;
    }
    let result = cli::parse().and_then(commands::run);
    result.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}
