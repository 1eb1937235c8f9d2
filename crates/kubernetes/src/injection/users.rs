//! Applications that share a user with the add-on.

use std::ops::RangeInclusive;

use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::container;

/// The containers of a pod with EPC that run as one of these users, and that user. Users that the
/// image sets are unknown here.
pub fn shared_users<'a>(
    spec: &'a PodSpec,
    add_on: &'a RangeInclusive<u32>,
) -> impl Iterator<Item = (&'a Container, u32)> {
    let has_epc = container::all(spec).any(container::has_epc);
    container::all(spec).filter(move |_| has_epc).filter_map(move |container| {
        let user = u32::try_from(user(container, spec)?).ok()?;
        add_on.contains(&user).then_some((container, user))
    })
}

fn user(container: &Container, spec: &PodSpec) -> Option<i64> {
    let of_container = container.security_context.as_ref().and_then(|it| it.run_as_user);
    of_container.or_else(|| spec.security_context.as_ref()?.run_as_user)
}
