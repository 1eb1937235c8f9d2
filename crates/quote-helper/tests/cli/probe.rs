//! Looks into a process of the real program from the inside: a preloaded library tries what each
//! thread may still do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Machine, eventually};

/// The number of EACCES, with which Landlock refuses.
pub(crate) const REFUSED: i32 = 13;

/// A library that is loaded into a process and its children.
pub(crate) struct Probe {
    library: PathBuf,
    told: PathBuf,
    paths: Vec<PathBuf>,
}

/// The kernel's answers to the threads of a process.
pub(crate) struct Answers(Vec<(String, i32)>);

impl Probe {
    /// A probe that tries to write these files, and tells in the file `told`, which children must
    /// be able to write.
    pub(crate) fn new(machine: &Machine, told: &str, paths: &[&str]) -> Self {
        let (source, library) = (machine.path("probe.c"), machine.path("probe.so"));
        machine.write("probe.c", include_str!("probe.c"));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
            .args([&library, &source])
            .status();
        assert!(compiled.unwrap().success());
        let paths = paths.iter().map(|path| machine.path(path)).collect();
        Self { library, told: machine.path(told), paths }
    }

    /// Has it loaded by the process that this starts.
    pub(crate) fn attach<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let paths: Vec<_> = self.paths.iter().map(|path| path.to_str().unwrap()).collect();
        command.env("LD_PRELOAD", &self.library).env("PROBE_TOLD", &self.told);
        command.env("PROBE_PATHS", paths.join(":"))
    }

    /// Asks all threads of this process, and waits until they have answered.
    pub(crate) fn ask(&self, pid: Pid) -> Answers {
        let threads = threads(pid).len();
        let before = self.answers(pid).len();
        kill_process(pid, Signal::USR1).unwrap();
        let answers = || self.answers(pid).split_off(before);
        // A thread tells last of the last path.
        let last = self.paths.last().map_or("dumpable", |path| path.to_str().unwrap());
        let done = || answers().iter().filter(|(what, _)| what == last).count() >= threads;
        eventually("each thread answers", done);
        Answers(answers())
    }

    fn answers(&self, of: Pid) -> Vec<(String, i32)> {
        let text = fs::read_to_string(&self.told).unwrap();
        let answer = |line: &str| {
            let [pid, what, number] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            (pid == of.to_string()).then(|| (what.to_owned(), number.parse().unwrap()))
        };
        text.lines().filter_map(answer).collect()
    }
}

impl Answers {
    /// The common answer to all threads that tried this file; `None` if answers differ.
    pub(crate) fn writing(&self, path: &Path) -> Option<i32> {
        self.all(path.to_str().unwrap())
    }

    /// 1 if core dumps and debuggers of the same user can read the memory.
    pub(crate) fn dumpable(&self) -> Option<i32> {
        self.all("dumpable")
    }

    fn all(&self, of: &str) -> Option<i32> {
        let mut numbers = self.0.iter().filter(|(what, _)| what == of).map(|(_, number)| *number);
        let first = numbers.next().expect("at least one thread has answered");
        numbers.all(|number| number == first).then_some(first)
    }
}

/// The threads of a process, as directories below /proc.
pub(crate) fn threads(pid: Pid) -> Vec<PathBuf> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.map(|thread| thread.unwrap().path()).collect()
}
