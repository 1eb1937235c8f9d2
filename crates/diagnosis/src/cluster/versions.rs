//! The versions of the add-on's pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use super::facts::Facts;
use super::workload::Workload;
use crate::finding::Finding;

const NAME: &str = "versions";
const OWN: &str = env!("CARGO_PKG_VERSION");

/// All pods should have the same image, not older than this program.
pub(crate) fn finding(facts: &Facts) -> Finding {
    let images = images(facts);
    let listed: Vec<_> = images.iter().map(|(image, pods)| format!("{image} ({pods})")).collect();
    let listed = listed.join(", ");
    let upgrade = "`quote-helper upgrade`, and wait until all nodes are upgraded";
    let older = images
        .keys()
        .any(|image| version(image).zip(numbers(OWN)).is_some_and(|(theirs, own)| theirs < own));
    match images.len() {
        0 => Finding::skipped(NAME, "no pods were found", "see the parts of the add-on"),
        1 if !older => Finding::ok(NAME, format!("all pods run {listed}")),
        _ if older => Finding::warning(
            NAME,
            format!("pods run versions older than this program, {OWN}: {listed}"),
            upgrade,
        ),
        _ => Finding::warning(NAME, format!("pods run different images: {listed}"), upgrade),
    }
}

/// The number of the add-on's pods by image. Those that are being deleted do not count.
fn images(facts: &Facts) -> BTreeMap<&str, usize> {
    let pods = facts.add_on_pods.as_deref().unwrap_or_default();
    let plugin = facts.device_plugin.iter().flatten().map(Workload::from);
    let service = facts.quote_service.iter().flatten().map(Workload::from);
    let webhook = facts.webhook.iter().flatten().map(Workload::from);
    let pccs = facts.pccs.iter().flatten().map(Workload::from);
    let mut images = BTreeMap::<_, usize>::new();
    let parts = plugin.chain(service).chain(webhook).chain(pccs);
    let pods = parts.flat_map(|part| part.pods(pods));
    for pod in pods.filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
        let count = images.entry(image(pod)).or_default();
        *count = count.saturating_add(1);
    }
    images
}

fn image(pod: &Pod) -> &str {
    let container = pod.spec.as_ref().and_then(|spec| spec.containers.first());
    container.and_then(|container| container.image.as_deref()).unwrap_or("no image")
}

/// The version in an image's tag; `None` if the tag is not a version.
fn version(image: &str) -> Option<[u32; 3]> {
    let (_, tag) = image.rsplit_once('/').unwrap_or(("", image)).1.split_once(':')?;
    numbers(tag)
}

/// The three numbers of a version, such as `v0.1.0-rc1`.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let version = version.trim_start_matches('v');
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let numbers = version.get(..end)?.split('.').map(|number| number.parse().ok());
    numbers.collect::<Option<Vec<_>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{in_order, pod, typed};
    use super::*;
    use crate::finding::Status;

    fn with_images(images: [&str; 2]) -> Finding {
        let mut facts = in_order();
        let pods = facts.add_on_pods.as_mut().unwrap();
        *pods = ["a", "b"].map(|name| pod("sgx-plugin", name, "n1")).into();
        for (pod, image) in pods.iter_mut().zip(images) {
            pod.spec.as_mut().unwrap().containers[0].image = Some(image.to_owned());
        }
        finding(&facts)
    }

    #[test]
    fn images_that_differ_or_are_old_are_a_warning() {
        let same = with_images(["a:99.0.0", "a:99.0.0"]);
        assert_eq!((same.status, same.detail.as_str()), (Status::Ok, "all pods run a:99.0.0 (2)"));
        let different = with_images(["a:99.0.0", "a:99.0.1"]);
        assert_eq!(different.status, Status::Warning);
        assert!(different.detail.contains("a:99.0.0 (1), a:99.0.1 (1)"), "{different:?}");
        let old = with_images(["r:5000/a:v0.0.9", "r:5000/a:v0.0.9"]);
        assert_eq!(old.status, Status::Warning);
        assert!(old.detail.contains("older"), "{old:?}");
    }

    #[test]
    fn tags_that_are_no_versions_are_not_compared() {
        for image in ["a:dev", "a", "r:5000/a", "a@sha256:00", "a:1.2", "a:1.2.x", "a:"] {
            assert_eq!(version(image), None, "{image}");
            assert_eq!(with_images([image, image]).status, Status::Ok);
        }
        assert_eq!(version("r:5000/a/b:v1.22.333-rc1"), Some([1, 22, 333]));
    }

    #[test]
    fn pods_that_are_being_deleted_do_not_count() {
        let mut facts = in_order();
        let mut old = pod("sgx-plugin", "old", "n1");
        old.spec.as_mut().unwrap().containers[0].image = Some("a:0.0.1".to_owned());
        old.metadata.deletion_timestamp = Some(typed(json!("2030-01-01T00:00:00Z")));
        facts.add_on_pods.as_mut().unwrap().push(old);
        assert_eq!(finding(&facts).status, Status::Ok);
    }

    #[test]
    fn pods_of_others_do_not_count() {
        let mut facts = in_order();
        facts.add_on_pods = Ok(vec![pod("another", "x", "n1")]);
        assert_eq!(finding(&facts).status, Status::Skipped);
    }
}
