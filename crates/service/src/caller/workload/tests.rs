use super::*;

const UID: &str = "6c1a4e95-6bb6-11e6-bc26-28d2444e470d";
const SLICE: &str = "6c1a4e95_6bb6_11e6_bc26_28d2444e470d";
const STATIC: &str = "7260904bbd08e72e4dff95d9fccd2ee8";
const ID: &str = "40c03570b6f4c30bc8d69923d37ee698f5cfcced92c7b7df1c47f6f7887378a9";
const OTHER: &str = "58452031ab6dcaa4fe3ff91f8a46fd41a4a2405586f3cf3d5cb9c93b5bcf62cc";

fn read(text: &str) -> Option<(String, String)> {
    let workload = Location::of_cgroups(text).workload?;
    let [pod, container] = [workload.pod, workload.container]
        .map(|name| name.map_or_else(|| "-".to_owned(), |name| name.to_string()));
    Some((pod, container))
}

#[track_caller]
fn reads(path: &str, pod: &str, container: &str) {
    for line in [format!("0::{path}\n"), format!("9:cpu,cpuacct:{path}\n1:name=systemd:{path}\n")] {
        assert_eq!(read(&line), Some((pod.to_owned(), container.to_owned())), "{line}");
    }
}

#[test]
fn pods_under_the_systemd_driver() {
    let burstable = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod";
    for runtime in ["cri-containerd", "crio", "docker"] {
        reads(&format!("{burstable}{SLICE}.slice/{runtime}-{ID}.scope"), UID, ID);
    }
    reads(&format!("{burstable}{STATIC}.slice/cri-containerd-{ID}.scope"), STATIC, ID);
    reads(&format!("/kubepods.slice/kubepods-pod{SLICE}.slice/crio-{ID}.scope"), UID, ID);
    reads(&format!("{burstable}{SLICE}.slice/crio-{ID}.scope/container"), UID, ID);
    reads(&format!("{burstable}{SLICE}.slice/crio-{ID}.scope (deleted)"), UID, ID);
    let kind = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice";
    let kind = format!("{kind}/kubelet-kubepods-besteffort-pod{SLICE}.slice");
    reads(&format!("{kind}/cri-containerd-{ID}.scope"), UID, ID);
}

#[test]
fn pods_under_the_cgroupfs_driver() {
    reads(&format!("/kubepods/burstable/pod{UID}/{ID}"), UID, ID);
    reads(&format!("/kubepods/pod{UID}/{ID}"), UID, ID);
    reads(&format!("/kubelet/kubepods/besteffort/pod{STATIC}/crio-{ID}"), STATIC, ID);
    let mistaken = format!("kubepods-besteffort-pod{SLICE}.slice:cri-containerd:{ID}");
    reads(&format!("/system.slice/containerd.service/{mistaken}"), UID, ID);
}

#[test]
fn neighbours_of_a_container_that_has_a_cgroup_namespace() {
    reads(&format!("/../../pod{UID}/{ID}"), UID, ID);
    reads(
        &format!("/../../kubepods-burstable-pod{SLICE}.slice/cri-containerd-{ID}.scope"),
        UID,
        ID,
    );
    // In the same pod, and so without its name.
    reads(&format!("/../cri-containerd-{ID}.scope"), "-", ID);
}

#[test]
fn containers_without_kubernetes() {
    reads(&format!("/system.slice/docker-{ID}.scope"), "-", ID);
    reads(&format!("/docker/{ID}"), "-", ID);
    reads(&format!("/machine.slice/libpod-{ID}.scope/container"), "-", ID);
    reads(&format!("/machine.slice/machine-libpod_pod_{OTHER}.slice/libpod-{ID}.scope"), "-", ID);
    reads(&format!("/default/nerdctl-{ID}.scope"), "-", ID);
}

#[test]
fn processes_outside_of_containers_have_no_workload() {
    for path in [
        "/",
        "",
        "/init.scope",
        "/system.slice/ssh.service",
        "/kubepods.slice/kubepods-burstable.slice",
        "/kubepods/burstable/pod",
        &format!("/machine.slice/libpod-conmon-{ID}.scope"),
        &format!("/system.slice/crio-conmon-{ID}.scope"),
        &format!("/docker/{}", ID.to_uppercase()),
        &format!("/docker/{ID}0"),
        &format!("/kubepods/pod{UID}0"),
        &format!("/kubepods/pod{}", UID.replace('4', "g")),
        &format!("/kubepods/pod{}", UID.replace('4', "\n")),
        &format!("/kubepods/pod{}", UID.replace('4', "é")),
    ] {
        assert_eq!(read(&format!("0::{path}\n")), None, "{path}");
    }
    for text in ["", "\n\n", "0", "0:", "0::", ":::", &":".repeat(4096), &"/".repeat(4096)] {
        assert_eq!(read(text), None);
    }
    // The monitor is in the pod, but in no container.
    reads(&format!("/kubepods/pod{UID}/crio-conmon-{ID}"), UID, "-");
}

#[test]
fn nobody_can_name_himself() {
    // A container that makes cgroups of its own.
    reads(&format!("/kubepods/pod{UID}/{ID}/kubepods/pod{STATIC}/{OTHER}"), UID, ID);
    reads(&format!("/../cri-containerd-{ID}.scope/kubepods/pod{STATIC}/{OTHER}"), "-", ID);
    reads(&format!("/docker/{ID}/kubepods/pod{UID}/{OTHER}"), "-", ID);
    // A user who does.
    let user = "/user.slice/user-1000.slice/user@1000.service";
    for path in
        [format!("{user}/kubepods/pod{UID}/{ID}"), format!("/../..{user}/docker-{ID}.scope")]
    {
        assert_eq!(read(&format!("0::{path}\n")), None);
    }
}

#[test]
fn the_hierarchy_that_has_the_pod_counts() {
    let text = format!("3:cpu:/\n2:pids:/docker/{OTHER}\n1:name=systemd:/kubepods/pod{UID}/{ID}\n");
    assert_eq!(read(&text), Some((UID.to_owned(), ID.to_owned())));
    assert_eq!(read(&format!("2:cpu:/docker/{ID}\n0::/\n")), Some(("-".to_owned(), ID.to_owned())));
}

#[test]
fn all_sessions_of_a_user_are_its_login() {
    let login = |path: &str| Location::of_cgroups(&format!("0::{path}\n")).login;
    let user = "/user.slice/user-1000.slice";
    for below in
        ["", "/session-3.scope", "/user@1000.service/app.slice", &format!("/docker-{ID}.scope")]
    {
        assert_eq!(login(&format!("{user}{below}")), Some(1000), "{below}");
        assert_eq!(login(&format!("/../..{user}{below}")), Some(1000), "{below}");
    }
    let hybrid = format!("12:pids:{user}/session-1.scope\n1:name=systemd:{user}\n0::/\n");
    assert_eq!(Location::of_cgroups(&hybrid).login, Some(1000));
    for path in [
        "/user.slice",
        "/user.slice/user-.slice",
        "/user.slice/user-x.slice",
        "/system.slice/ssh.service",
        &format!("/system.slice/evil.service{user}"),
        &format!("/kubepods/pod{UID}/{ID}{user}"),
    ] {
        assert_eq!(login(path), None, "{path}");
    }
}
