use std::path::{Path, PathBuf};

use super::{VERSION, all};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas").join(VERSION)
}

#[test]
fn schemas_are_up_to_date() {
    let writes = std::env::var_os("WRITE_SCHEMAS").is_some();
    let directory = directory();
    let page = std::fs::read_to_string(directory.join("../../json.md")).unwrap();
    let mut names = Vec::new();
    for (name, mut schema) in all() {
        schema.insert("$id".into(), format!("urn:sgx-quote-helper:{VERSION}:{name}").into());
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let file = directory.join(format!("{name}.json"));
        if writes {
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            written, text,
            "{name}: run `just schemas`, and see docs/json.md for what may change"
        );
        assert!(page.contains(&format!("schemas/{VERSION}/{name}.json")), "{name}: docs/json.md");
        names.push(format!("{name}.json"));
    }
    let files = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name());
    let files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    assert!(files.iter().all(|file| names.contains(file)), "{files:?}");
}
