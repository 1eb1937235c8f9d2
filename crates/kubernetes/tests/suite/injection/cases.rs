//! The cases.

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Pod;
use kubernetes::injection::{PatchAndWarnings, Settings, inject, patch_json};
use serde_json::{Value, json};

pub(crate) struct Case {
    path: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) object: Value,
}

impl Case {
    pub(crate) fn all() -> Vec<Self> {
        let cases = Self::directories().into_iter().flat_map(|directory| {
            let files = entries(&root().join(&directory)).into_iter();
            let inputs = files.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
            inputs.map(move |path| Self::read(path, crate::injection::settings(&directory)))
        });
        let cases: Vec<_> = cases.collect();
        assert!(cases.len() > 30, "there are only {} cases", cases.len());
        cases
    }

    /// The names of the settings with cases.
    pub(crate) fn directories() -> Vec<String> {
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        entries(&root()).into_iter().map(name).collect()
    }

    fn read(path: PathBuf, settings: Settings) -> Self {
        let yaml = fs::read_to_string(&path).unwrap();
        let object =
            serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{path:?} {error}"));
        Self { path, settings, object }
    }

    pub(crate) fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    pub(crate) fn pod(&self) -> Pod {
        serde_saphyr::from_str(&self.object.to_string()).unwrap()
    }

    pub(crate) fn patch(&self) -> Value {
        serde_json::to_value(self.patch_and_warnings().0).unwrap()
    }

    fn patch_and_warnings(&self) -> PatchAndWarnings {
        let pod = serde_json::to_string(&self.typed()).unwrap();
        patch_json(&pod, &self.settings, 1 << 20).unwrap()
    }

    /// The object with the API server's types: `10` is a string where one is expected.
    fn typed(&self) -> Value {
        let mut pod = serde_json::to_value(self.pod()).unwrap();
        if self.object.get("metadata").is_none() {
            pod.as_object_mut().unwrap().remove("metadata");
        }
        pod
    }

    /// The difference of a case from its golden, if any.
    pub(crate) fn difference(&self) -> Option<String> {
        let golden = self.path.with_extension("json");
        let (patch, warnings) = self.patch_and_warnings();
        assert_eq!(warnings, inject(self.pod(), &self.settings).warnings, "{}", self.name());
        let outcome = json!({ "patch": patch, "warnings": warnings });
        let text = serde_json::to_string_pretty(&outcome).unwrap() + "\n";
        if std::env::var_os("WRITE_GOLDENS").is_some() {
            fs::write(&golden, &text).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        let expected = serde_json::from_str::<Value>(&expected).unwrap_or_default();
        (expected != outcome).then(|| {
            format!("{} differs (WRITE_GOLDENS=1 rewrites it); now it is\n{text}", self.name())
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/injection/cases")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    entries
}
