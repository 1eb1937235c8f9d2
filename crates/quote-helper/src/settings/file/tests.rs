use super::super::every_setting;
use super::*;

/// The mistakes in this text, line by line.
fn wrong(text: &str) -> Vec<String> {
    let error = parse(Path::new("config.toml"), text).err();
    error.map(|error| error.lines().collect()).unwrap_or_default()
}

/// A value that no setting takes.
const NO_VALUE: &str = "{ no = 'value' }";

#[test]
fn each_setting_with_a_wrong_value_is_told_with_value_line_and_form() {
    for (section, forms) in [("", FORMS), ("[collateral]\n", PartialSettings::FORMS)] {
        for (name, form) in forms.iter().filter(|(name, _)| *name != SECTION) {
            let line = section.lines().count() + 2;
            let told = wrong(&format!("{section}# a comment\n{name} = {NO_VALUE}\n"));
            let expected = format!("config.toml, line {line}: {name} = {NO_VALUE}: write {form}");
            assert_eq!(told, [expected]);
        }
    }
}

#[test]
fn forms_are_those_of_all_settings() {
    macro_rules! names {
        ($($setting:ident),*) => { [$(stringify!($setting)),*] };
    }
    let mut names = every_setting!(names);
    let mut known: Vec<_> = FORMS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, names);
}

#[test]
fn everything_that_is_wrong_is_told_in_its_order() {
    let text = "request_timeout = 5\nworkers = 2\nmax_conections = 1\nsources = ['pcs']\n\
                [collateral]\ntimout = '5s'\nsocket = '/x'\nretries = 'x'\n[colateral]\n";
    assert_eq!(
        wrong(text),
        [
            r#"config.toml, line 1: request_timeout = 5: write a time in quotes, such as "5s""#,
            "config.toml, line 3: unknown setting max_conections; did you mean max_connections?",
            "config.toml, line 4: the setting sources belongs below the line [collateral]",
            "config.toml, line 6: unknown setting timout; did you mean timeout?",
            "config.toml, line 7: the setting socket belongs above the line [collateral]",
            "config.toml, line 8: retries = 'x': write a whole number from 0 to 100, without quotes",
            "config.toml, line 9: unknown setting colateral; did you mean collateral?",
        ]
    );
}

#[test]
fn text_that_is_not_toml_is_told_with_its_line() {
    let told = wrong("# ours\nsocket = /run/x\n");
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.starts_with("config.toml, line 2: socket: "), "{told}");
    assert!(told.ends_with("; write socket = VALUE, text in quotes"), "{told}");
}

#[test]
fn passwords_are_not_repeated() {
    let told = wrong("[collateral]\nsources = ['ftp://user:secret@host/']\n").join("");
    assert!(told.contains("ftp://…@host/") && !told.contains("secret"), "{told}");
}
