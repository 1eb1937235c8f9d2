//! Previews.

use kubernetes::installation::ObjectOutcome;

use crate::installation::installer::{Observed, config_map, namespace, object, objects, secret};

#[tokio::test(start_paused = true)]
async fn a_preview_changes_nothing() {
    let (api_server, installer) = Observed::start().await;
    let first = installer.installer.preview(&objects()).await.unwrap();
    assert!(first.iter().all(|it| it.outcome == ObjectOutcome::Created), "{first:?}");
    assert!(first[0].difference.contains("+  name: sgx\n"), "{}", first[0].difference);
    assert!(api_server.names().is_empty());
    installer.install(&objects()).await.unwrap();
    let (names, writes) = (api_server.names(), api_server.writes());
    let desired =
        [namespace(), config_map("settings", "2"), secret("certificates", "AA==")].map(object);
    let previews = installer.installer.preview(&desired).await.unwrap();
    let outcomes: Vec<_> = previews.iter().map(|it| (it.object.to_string(), it.outcome)).collect();
    let expected = [
        ("Namespace sgx", ObjectOutcome::Unchanged),
        ("ConfigMap sgx/settings", ObjectOutcome::Changed),
        ("Secret sgx/certificates", ObjectOutcome::Created),
        ("ClusterRole sgx-plugin", ObjectOutcome::Removed),
        ("DaemonSet sgx/sgx-plugin", ObjectOutcome::Removed),
    ];
    assert_eq!(outcomes, expected.map(|(name, outcome)| (name.to_owned(), outcome)));
    assert!(previews[1].difference.contains("-  key: \"1\"\n+  key: \"2\"\n"), "{previews:?}");
    assert!(!previews[2].difference.contains("AA=="), "{previews:?}");
    assert_eq!((api_server.names(), api_server.writes()), (names, writes));
}
