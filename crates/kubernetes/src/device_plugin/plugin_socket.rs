//! The socket of a plugin for one resource.
//!
//! Each plugin listens at a name of its own, which it registers: kubelets from Kubernetes 1.36 on
//! tell plugins for the same resource apart by it, and reject a name that is still connected. A
//! second name, the same for all plugins, belongs to the plugin that came last.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use sockets::{BindError, BoundSocket, FileState, SocketAccess};
use tokio::net::UnixStream;

/// The random bytes in a plugin's own name.
const RANDOM_BYTES: usize = 4;
/// The end of all names.
const SUFFIX: &str = ".sock";

/// A listening socket with both names, which are removed on drop if they are still its own.
pub(crate) struct PluginSocket {
    endpoint: String,
    own: BoundSocket,
    common: BoundSocket,
    common_path: PathBuf,
}

/// The position of a socket among those for its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketRole {
    /// No later plugin exists.
    Latest,
    /// A later plugin serves the resource too.
    Succeeded,
    /// A later plugin has ended.
    LatestAgain,
    /// The file was removed.
    Removed,
}

impl PluginSocket {
    /// Listens in the kubelet's directory. Removes the sockets of plugins that have died.
    ///
    /// # Errors
    /// [`BindError`].
    pub(crate) async fn listen(
        plugin_dir: &Path,
        resource: &str,
    ) -> Result<(Self, UnixListener), BindError> {
        let name = resource.replace('/', "_");
        let failed = |source| BindError::Io { path: plugin_dir.to_owned(), source };
        remove_dead(plugin_dir, &name).await.map_err(failed)?;
        let mut random = [0; RANDOM_BYTES];
        rand::fill(&mut random).map_err(|_| failed(io::Error::other("no random numbers")))?;
        let endpoint = format!("{name}.{}{SUFFIX}", hex::encode(random));
        let common_path = plugin_dir.join(format!("{name}{SUFFIX}"));
        let (own, listener) =
            BoundSocket::replace(&plugin_dir.join(&endpoint), SocketAccess::Owner)?;
        let common = own.link(&common_path)?;
        Ok((Self { endpoint, own, common, common_path }, listener))
    }

    /// Its own name in the kubelet's directory.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Compares it with the sockets that are there now.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) async fn role(&self) -> io::Result<SocketRole> {
        if self.own.file().state()? != FileState::Unchanged {
            return Ok(SocketRole::Removed);
        }
        if self.common.file().state()? == FileState::Unchanged {
            return Ok(SocketRole::Latest);
        }
        // A plugin that stops removes its names; one that has died does not accept.
        Ok(match UnixStream::connect(&self.common_path).await {
            Ok(_) => SocketRole::Succeeded,
            Err(_) => SocketRole::LatestAgain,
        })
    }
}

/// Removes the plugins' own sockets that nobody listens at. New sockets listen before they get
/// their name.
async fn remove_dead(plugin_dir: &Path, name: &str) -> io::Result<()> {
    for entry in fs::read_dir(plugin_dir)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|file| is_own_name(file, name));
        if is_ours && is_dead(&entry.path()).await {
            // Another plugin may have removed it.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// True for a plugin's own name for this resource.
fn is_own_name(file: &str, resource: &str) -> bool {
    let random = file.strip_prefix(resource).and_then(|rest| rest.strip_prefix('.'));
    let random = random.and_then(|rest| rest.strip_suffix(SUFFIX));
    random.is_some_and(|random| hex::decode(random).is_ok_and(|it| it.len() == RANDOM_BYTES))
}

async fn is_dead(socket: &Path) -> bool {
    let connected = UnixStream::connect(socket).await;
    connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}
