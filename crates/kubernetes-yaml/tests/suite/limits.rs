//! Texts that would take much memory or a deep stack.

use kubernetes_yaml::Yaml;

fn error(text: &str) -> String {
    Yaml::parse(text).and_then(|yaml| yaml.values()).unwrap_err().to_string()
}

#[test]
fn aliases_do_not_multiply() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let of = format!("*a{}, ", level - 1).repeat(10);
        bomb += &format!("a{level}: &a{level} [{of}]\n");
    }
    assert_eq!(error(&bomb), "its aliases add more than 100000 nodes");
}

#[test]
fn nesting_is_limited() {
    assert!(error(&"[".repeat(1 << 20)).contains("line 1"));
    assert!(error(&"- ".repeat(1 << 20)).contains("line 1"));
    let mut chain = "a0: &a0 x\n".to_owned();
    for level in 1..1000 {
        chain += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert_eq!(error(&chain), "its nodes are nested more than 512 deep");
    assert_eq!(error("a: &a [*a]\n"), "its nodes are nested more than 512 deep");
}

#[test]
fn the_number_of_nodes_is_limited() {
    assert_eq!(error(&format!("[{}]", "1,".repeat(600_000))), "it has more than 500000 nodes");
    let text = format!("[{}]", "1,".repeat(499_999));
    let yaml = Yaml::parse(&text).unwrap();
    let mut values = yaml.values().unwrap();
    values[0].as_array_mut().unwrap().push("added".into());
    let error = yaml.with(&values).unwrap_err().to_string();
    assert_eq!(error, "with the additions, it has more than 500000 nodes");
}
