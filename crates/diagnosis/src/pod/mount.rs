//! The mount of the socket's directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::finding::Finding;
use crate::mounts::Mount;
use crate::quote_service::{PathState, ServiceSocket};

const NAME: &str = "mount";

const MOUNT_DIRECTORY: &str = "mount the directory: ask for EPC (limits: \
     kubernetes.azure.com/sgx_epc_mem_in_MiB), with which the device plugin mounts it; or write a \
     volume with hostPath /var/run/aesmd and mount it at /var/run/aesmd; or annotate the pod with \
     sgx.intel.com/quote-provider: aesmd";

/// The mount that holds the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketMount {
    Nothing,
    /// The socket's directory, or one above it.
    Directory {
        /// The host has removed or replaced the mounted directory.
        is_removed: bool,
    },
    /// The socket alone.
    Socket {
        /// The host has removed or replaced the mounted socket.
        is_removed: bool,
    },
}

impl SocketMount {
    pub(crate) fn gather(socket: &Path) -> Self {
        let socket = real(socket);
        Self::by(Mount::of(&socket), &socket)
    }

    fn by(mount: Option<Mount>, socket: &Path) -> Self {
        match mount.filter(|mount| mount.point != Path::new("/")) {
            None => Self::Nothing,
            Some(mount) => {
                let is_removed = mount.root.ends_with("//deleted");
                match mount.point == socket {
                    true => Self::Socket { is_removed },
                    false => Self::Directory { is_removed },
                }
            }
        }
    }

    pub(crate) fn finding(self, service: &ServiceSocket) -> Finding {
        let socket = service.path.display();
        let directory = service.path.parent().unwrap_or(&service.path).display();
        match self {
            Self::Directory { is_removed: false } => {
                Finding::ok(NAME, format!("{directory} is mounted"))
            }
            Self::Directory { is_removed: true } => Finding::failed(
                NAME,
                format!(
                    "{directory} is mounted, but the host has removed that directory since this \
                     container began, and made another one if a service runs there"
                ),
                "recreate this container (in Kubernetes, delete its pod); the mount follows a new \
                 socket in the directory, but not a new directory",
            ),
            // A process of this container serves it.
            Self::Nothing if service.path_state == PathState::Socket => {
                Finding::ok(NAME, format!("{socket} is of this container itself"))
            }
            Self::Nothing => Finding::failed(
                NAME,
                format!("{directory} of the host is not mounted in this container"),
                MOUNT_DIRECTORY,
            ),
            Self::Socket { is_removed } if is_removed || service.is_refused() => Finding::failed(
                NAME,
                format!(
                    "the socket file {socket} is mounted, and it is stale: the quote service \
                         has another one since it was restarted"
                ),
                MOUNT_DIRECTORY,
            ),
            Self::Socket { .. } => Finding::warning(
                NAME,
                format!(
                    "the socket file {socket} is mounted rather than its directory: it goes stale \
                     when the quote service is restarted"
                ),
                MOUNT_DIRECTORY,
            ),
        }
    }
}

/// The path without symbolic links, as far as it exists: /var/run is one in most images.
fn real(path: &Path) -> PathBuf {
    let known = path.ancestors().skip(1).find_map(|ancestor| {
        let real = fs::canonicalize(ancestor).ok()?;
        Some(real.join(path.strip_prefix(ancestor).ok()?))
    });
    known.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::finding::Status;
    use crate::quote_service::Place;

    const ROOT: &str = "1 0 0:1 / / rw,relatime - overlay overlay rw\n\
                        2 1 0:2 / /proc rw - proc proc rw\n";

    const SOCKET: &str = "/run/aesmd/aesm.socket";
    const MOUNTED: SocketMount = SocketMount::Directory { is_removed: false };

    fn read(line: &str) -> SocketMount {
        SocketMount::by(
            Mount::innermost(&format!("{ROOT}{line}"), Path::new(SOCKET)),
            Path::new(SOCKET),
        )
    }

    #[test]
    fn the_directory_is_told_from_the_socket_and_from_nothing() {
        assert_eq!(read(""), SocketMount::Nothing);
        assert_eq!(read("3 1 8:1 /run/x /run/other rw - ext4 /dev/sda rw"), SocketMount::Nothing);
        assert_eq!(read("garbage\n\n1 2"), SocketMount::Nothing);
        assert_eq!(read("3 1 8:1 /aesmd /run/aesmd ro - tmpfs tmpfs rw"), MOUNTED);
        assert_eq!(read("3 1 8:1 / /run rw - tmpfs tmpfs rw"), MOUNTED);
        let removed = read("3 1 8:1 /aesmd//deleted /run/aesmd ro - tmpfs tmpfs rw");
        assert_eq!(removed, SocketMount::Directory { is_removed: true });
        let socket = "3 1 8:1 /aesmd/aesm.socket /run/aesmd/aesm.socket rw - tmpfs tmpfs rw";
        assert_eq!(read(socket), SocketMount::Socket { is_removed: false });
        let removed =
            "3 1 8:1 /aesmd/aesm.socket//deleted /run/aesmd/aesm.socket rw - tmpfs tmpfs rw";
        assert_eq!(read(removed), SocketMount::Socket { is_removed: true });
    }

    #[test]
    fn symbolic_links_on_the_way_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir(root.join("run")).unwrap();
        std::os::unix::fs::symlink("run", root.join("link")).unwrap();
        let aesm = |name: &str| root.join(name).join("aesmd/aesm.socket");
        assert_eq!(real(&aesm("link")), aesm("run"));
    }

    #[test]
    fn each_mount_has_its_finding() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("aesm.socket");
        let nobody = ServiceSocket::gather(path.clone(), Place::Container);
        let status = |mount: SocketMount, service: &ServiceSocket| mount.finding(service).status;
        assert_eq!(status(MOUNTED, &nobody), Status::Ok);
        let removed = SocketMount::Directory { is_removed: true }.finding(&nobody);
        assert_eq!(removed.status, Status::Failed);
        assert!(removed.fix.unwrap().contains("recreate this container"));
        assert_eq!(status(SocketMount::Nothing, &nobody), Status::Failed);
        // Dropping the listener leaves its socket behind.
        drop(UnixListener::bind(&path).unwrap());
        let dead = ServiceSocket::gather(path, Place::Container);
        assert_eq!(status(SocketMount::Nothing, &dead), Status::Ok);
        let stale = SocketMount::Socket { is_removed: false }.finding(&dead);
        assert_eq!(stale.status, Status::Failed);
        assert!(stale.detail.contains("stale"), "{stale:?}");
        assert!(stale.fix.unwrap().contains("mount the directory"));
        // A socket that this user may not open, or a service without a key, is not stale.
        let unanswered = SocketMount::Socket { is_removed: false }.finding(&nobody);
        assert_eq!(unanswered.status, Status::Warning, "{unanswered:?}");
    }
}
