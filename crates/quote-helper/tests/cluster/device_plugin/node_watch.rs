//! The first node's allocatable resources over time, as the API server reports them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use serde_json::Value;

use crate::cluster::{eventually, node_name};

/// A watch of the node; ended when dropped.
pub(super) struct NodeWatch {
    kubectl: Child,
    seen: Arc<Mutex<Vec<(SystemTime, Value)>>>,
}

impl NodeWatch {
    pub(super) fn start() -> Self {
        let path = format!("/api/v1/nodes?watch=true&fieldSelector=metadata.name={}", node_name());
        let mut command = Command::new("kubectl");
        command.args(["get", "--raw", &path]).stdout(Stdio::piped());
        let mut kubectl = command.spawn().unwrap();
        let lines = BufReader::new(kubectl.stdout.take().unwrap()).lines();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut event: Value = serde_json::from_str(&line).unwrap();
                let allocatable = event["object"]["status"]["allocatable"].take();
                all.lock().push((SystemTime::now(), allocatable));
            }
        });
        Self { kubectl, seen }
    }

    /// Waits until these quantities are allocatable, and returns the time since when they are.
    #[track_caller]
    pub(super) fn allocatable_since(&self, quantities: [(&str, u64); 2]) -> SystemTime {
        let quantities =
            quantities.map(|(name, quantity)| (name, Value::from(quantity.to_string())));
        eventually(&format!("{quantities:?} are allocatable"), || {
            let seen = self.seen.lock();
            let are_there = |(_, allocatable): &&(SystemTime, Value)| {
                let is_there = |(name, quantity): &(&str, Value)| allocatable[*name] == *quantity;
                quantities.iter().all(is_there)
            };
            let last = seen.iter().rev().take_while(are_there).last()?;
            Some(last.0)
        })
    }
}

impl Drop for NodeWatch {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
