//! Injection, case by case. A case is a YAML file below `cases`, in a directory named after the
//! settings, beside its JSON patch and warnings. `WRITE_GOLDENS=1` rewrites these.

mod cases;
mod objects;

use json_patch::Patch;
use k8s_openapi::api::core::v1::Pod;
use kubernetes::device_plugin::EpcAccounting;
use kubernetes::injection::{Settings, inject};

use cases::Case;

/// The settings of the cases in this directory.
pub(crate) fn settings(directory: &str) -> Settings {
    let settings = Settings {
        aesm_dir: "/var/run/aesmd".into(),
        socket_by_device_plugin: false,
        epc_accounting: EpcAccounting::Devices,
        has_quote_service: true,
        add_on_uids: 61100..=61102,
    };
    match directory {
        "devices" => settings,
        "given_by_device_plugin" => Settings { socket_by_device_plugin: true, ..settings },
        "node_status" => Settings { epc_accounting: EpcAccounting::NodeStatus, ..settings },
        "no_quote_service" => Settings { has_quote_service: false, ..settings },
        "other_directory" => Settings { aesm_dir: "/opt/sgx/aesm".into(), ..settings },
        other => panic!("no settings are named {other}"),
    }
}

#[test]
fn cases_have_their_reviewed_results() {
    let differing: Vec<_> = Case::all().iter().filter_map(Case::difference).collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn a_patch_only_adds() {
    let mut operations = 0;
    for case in Case::all() {
        for operation in case.patch().as_array().unwrap() {
            assert_eq!(operation["op"], "add", "{}: {operation}", case.name());
            operations += 1;
        }
    }
    assert!(operations > Case::all().len(), "{operations} operations");
}

#[test]
fn the_patch_is_equivalent_to_injection() {
    for case in Case::all() {
        let mut patched = case.object.clone();
        let patch: Patch = serde_json::from_value(case.patch()).unwrap();
        json_patch::patch(&mut patched, &patch).unwrap();
        let patched: Pod = serde_saphyr::from_str(&patched.to_string()).unwrap();
        assert_eq!(patched, inject(case.pod(), &case.settings).pod, "{}", case.name());
    }
}

#[test]
fn a_second_injection_changes_nothing() {
    for case in Case::all() {
        let once = inject(case.pod(), &case.settings);
        let twice = inject(once.pod.clone(), &case.settings);
        assert_eq!(twice, once, "{}", case.name());
    }
}

#[test]
fn pods_without_epc_do_not_change() {
    let cases = Case::all();
    let without_epc: Vec<_> =
        cases.iter().filter(|case| case.name().contains("/without_epc")).collect();
    assert!(!without_epc.is_empty() && !Case::directories().is_empty());
    for case in without_epc {
        for directory in Case::directories() {
            let injected = inject(case.pod(), &settings(&directory));
            assert_eq!(injected.pod, case.pod(), "{} with {directory}", case.name());
        }
    }
}

#[test]
fn warnings_fit_the_api_servers_limit() {
    for case in Case::all() {
        for warning in inject(case.pod(), &case.settings).warnings {
            assert!(warning.len() <= 256, "{}: {} bytes: {warning}", case.name(), warning.len());
        }
    }
}
