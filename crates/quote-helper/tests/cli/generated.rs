//! Files generated from the description of the command line.

use crate::support::Machine;

#[test]
fn each_command_has_a_manual_page() {
    let machine = Machine::new();
    machine.succeed("man-pages .");
    let help = machine.succeed("--help").stdout;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    // The description of a command may continue in indented lines.
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<_> = names.filter(|name| !["", "help"].contains(name)).collect();
    assert!(names.len() > 10 && names.contains(&"serve"), "{names:?}");
    for name in names {
        let page = machine.read(&format!("quote-helper-{name}.1"));
        let page = String::from_utf8(page).unwrap();
        for section in ["\"EXIT STATUS\"", "EXAMPLES", "\"SEE ALSO\""] {
            assert!(page.contains(&format!("\n.SH {section}\n")), "{name}: {section}");
        }
    }
    assert!(!machine.path("quote-helper-worker.1").exists());
    machine.run("man-pages no/such/directory").with_code(1).says(&["no/such/directory"]);
}
