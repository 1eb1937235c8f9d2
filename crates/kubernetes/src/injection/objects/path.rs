//! JSON pointers as readable paths.

/// The path of a JSON pointer, such as `spec.containers[0].env`.
pub(super) fn path(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if step.parse::<usize>().is_ok() {
            path += &format!("[{step}]");
        } else if step.contains(['.', '/']) {
            path += &format!("[{step:?}]");
        } else {
            let dot = if path.is_empty() { "" } else { "." };
            path += &format!("{dot}{step}");
        }
    }
    path
}

/// The pointer of a field or an item.
pub(super) fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
