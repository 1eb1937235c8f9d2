//! Pods of the tests.

use std::process::Output;

use serde_json::{Value, json};

use crate::cluster::{eventually, kubectl, try_kubectl};

/// Sleeps, and exits immediately on SIGTERM.
const IDLE: &str = "trap exit TERM; sleep 3600 & wait";

/// An idle container of this name with these limits.
pub(crate) fn container(name: &str, limits: &[(&str, u64)]) -> Value {
    let limits: Value = limits.iter().map(|(name, limit)| (*name, *limit)).collect();
    json!({
        "name": name,
        "image": "busybox:test-cluster",
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", IDLE],
        "resources": { "limits": limits },
    })
}

/// A pod of the cluster; deleted when dropped.
pub(crate) struct Pod {
    name: String,
}

impl Pod {
    /// A pod with one idle container, `main`, with these limits.
    #[track_caller]
    pub(crate) fn create(limits: &[(&str, u64)]) -> Self {
        Self::of_spec(json!({ "containers": [container("main", limits)] }))
    }

    #[track_caller]
    pub(crate) fn of_spec(mut spec: Value) -> Self {
        spec["restartPolicy"] = json!("Never");
        spec["terminationGracePeriodSeconds"] = json!(5);
        // Avoids an irrelevant mount.
        spec["automountServiceAccountToken"] = json!(false);
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "generateName": "device-plugin-test-" },
            "spec": spec,
        });
        let name = kubectl(&["create", "-f=-", "-o=name"], &pod.to_string());
        Self { name: name.trim().trim_start_matches("pod/").to_owned() }
    }

    /// Waits until all its containers run.
    #[track_caller]
    pub(crate) fn runs(self) -> Self {
        self.is_in_phase("Running");
        self
    }

    /// Waits until all its containers have succeeded.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.is_in_phase("Succeeded");
        self
    }

    /// Waits until all its containers have ended.
    #[track_caller]
    pub(crate) fn ended(self) -> Self {
        eventually("all its containers have ended", || {
            let phase = &self.status()["phase"];
            (phase == "Succeeded" || phase == "Failed").then_some(())
        });
        self
    }

    /// Waits until the scheduler reports an insufficient quantity of the resource.
    #[track_caller]
    pub(crate) fn lacks(self, resource: &str) -> Self {
        let pod = format!("involvedObject.name={},reason=FailedScheduling", self.name);
        let arguments =
            ["get", "events", "--field-selector", &pod, "-o=jsonpath={.items[*].message}"];
        let message = format!("Insufficient {resource}");
        eventually(&message, || kubectl(&arguments, "").contains(&message).then_some(()));
        assert_eq!(self.status()["phase"], "Pending");
        self
    }

    /// Deletes it, and waits until it is gone.
    #[track_caller]
    pub(crate) fn ends(self) {
        let deleted = self.try_delete(&["--timeout=40s"]);
        assert!(deleted.status.success(), "{deleted:?}");
    }

    /// The id of the container `main`, which changes at a restart.
    pub(crate) fn container_id(&self) -> String {
        let status = self.status();
        let container = &status["containerStatuses"][0];
        assert!(!container["state"]["running"].is_null(), "{status}");
        container["containerID"].as_str().unwrap().to_owned()
    }

    /// Runs a shell script in the container, which must succeed, and returns its output.
    #[track_caller]
    pub(crate) fn exec(&self, container: &str, script: &str) -> String {
        let Output { status, stdout, stderr } = self.try_exec(container, script);
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{script}: {stderr}");
        String::from_utf8(stdout).unwrap()
    }

    /// Runs a shell script in the container, which must fail with this message.
    #[track_caller]
    pub(crate) fn fails(&self, container: &str, script: &str, message: &str) {
        let Output { status, stderr, .. } = self.try_exec(container, script);
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && stderr.contains(message), "{script}: {status}, {stderr}");
    }

    /// True if the kubelet can run commands in the container.
    pub(crate) fn answers(&self, container: &str) -> bool {
        self.try_exec(container, "true").status.success()
    }

    fn try_exec(&self, container: &str, script: &str) -> Output {
        try_kubectl(&["exec", &self.name, "-c", container, "--", "sh", "-c", script], "")
    }

    /// The output of the container.
    #[track_caller]
    pub(crate) fn log(&self, container: &str) -> String {
        kubectl(&["logs", &self.name, "-c", container], "")
    }

    fn try_delete(&self, options: &[&str]) -> Output {
        let delete = ["delete", "pod", &self.name, "--ignore-not-found"];
        try_kubectl(&[&delete, options].concat(), "")
    }

    #[track_caller]
    fn is_in_phase(&self, phase: &str) {
        eventually(phase, || {
            let status = self.status();
            assert_ne!(status["phase"], "Failed", "{status:#}");
            (status["phase"] == phase).then_some(())
        });
    }

    fn status(&self) -> Value {
        let pod = kubectl(&["get", "pod", &self.name, "-o=json"], "");
        serde_json::from_str::<Value>(&pod).unwrap()["status"].take()
    }
}

impl Drop for Pod {
    /// Does not wait until the kubelet has ended the containers, which takes up to ten seconds;
    /// other pods can use their resources already.
    fn drop(&mut self) {
        let deleted = self.try_delete(&["--force", "--grace-period=0"]);
        assert!(deleted.status.success() || std::thread::panicking(), "{deleted:?}");
    }
}
