//! The kinds of objects of the add-on.

use std::fmt;

use kube::core::{ApiResource, DynamicObject, GroupVersionKind};

/// A kind of object at the API server.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    group: &'static str,
    version: &'static str,
    name: &'static str,
    /// The name in URLs and permissions.
    plural: &'static str,
    scope: Scope,
}

#[derive(Debug, PartialEq, Eq)]
enum Scope {
    Cluster,
    Namespace,
}

/// The kind that contains other objects.
const NAMESPACE: Kind = Kind::new("", "v1", "Namespace", "namespaces", Scope::Cluster);

/// In the order of creation. Removal is in reverse: first the configuration that makes the API
/// server wait for the webhook, last the namespace.
pub(super) const KINDS: &[Kind] = &[
    NAMESPACE,
    Kind::new("", "v1", "ServiceAccount", "serviceaccounts", Scope::Namespace),
    rbac("ClusterRole", "clusterroles", Scope::Cluster),
    rbac("ClusterRoleBinding", "clusterrolebindings", Scope::Cluster),
    rbac("Role", "roles", Scope::Namespace),
    rbac("RoleBinding", "rolebindings", Scope::Namespace),
    Kind::new(
        "certificates.k8s.io",
        "v1",
        "ClusterTrustBundle",
        "clustertrustbundles",
        Scope::Cluster,
    ),
    Kind::new("", "v1", "ConfigMap", "configmaps", Scope::Namespace),
    Kind::new("", "v1", "Secret", "secrets", Scope::Namespace),
    Kind::new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", Scope::Namespace),
    Kind::new("", "v1", "Service", "services", Scope::Namespace),
    Kind::new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", Scope::Namespace),
    Kind::new("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors", Scope::Namespace),
    Kind::new("apps", "v1", "DaemonSet", "daemonsets", Scope::Namespace),
    Kind::new("apps", "v1", "Deployment", "deployments", Scope::Namespace),
    Kind::new("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", Scope::Namespace),
    admission("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    admission("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    admission("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    admission("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    admission("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
];

const fn admission(name: &'static str, plural: &'static str) -> Kind {
    Kind::new("admissionregistration.k8s.io", "v1", name, plural, Scope::Cluster)
}

const fn rbac(name: &'static str, plural: &'static str, scope: Scope) -> Kind {
    Kind::new("rbac.authorization.k8s.io", "v1", name, plural, scope)
}

impl Kind {
    const fn new(
        group: &'static str,
        version: &'static str,
        name: &'static str,
        plural: &'static str,
        scope: Scope,
    ) -> Self {
        Self { group, version, name, plural, scope }
    }

    /// The API group; empty for the core.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.group
    }

    /// The group and the version, such as `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// True if Kubernetes itself does not have it: others have to define it.
    pub(super) fn is_custom(&self) -> bool {
        self.group == "monitoring.coreos.com"
    }

    /// The name, such as `DaemonSet`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn plural(&self) -> &'static str {
        self.plural
    }

    pub(super) fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespace
    }

    /// True if its objects run pods, so that it must be waited for them.
    pub(super) fn runs_pods(&self) -> bool {
        self.group == "apps"
    }

    pub(super) fn resource(&self) -> ApiResource {
        let gvk = GroupVersionKind::gvk(self.group, self.version, self.name);
        ApiResource::from_gvk_with_plural(&gvk, self.plural)
    }
}

/// The identity of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// The kind.
    pub kind: &'static Kind,
    /// The namespace, if the kind is namespaced.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectName {
    /// The name of the object, if it is of a known kind.
    pub(super) fn of(object: &DynamicObject) -> Option<Self> {
        let types = object.types.as_ref()?;
        let gvk = GroupVersionKind::try_from(types).ok()?;
        let kind = KINDS.iter().find(|kind| {
            (kind.group, kind.version, kind.name) == (&gvk.group, &gvk.version, &gvk.kind)
        })?;
        let metadata = &object.metadata;
        Self::new(kind, metadata.namespace.as_deref(), metadata.name.as_deref())
    }

    /// `None` if the kind needs what is not there.
    pub(super) fn new(
        kind: &'static Kind,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Option<Self> {
        let namespace = match kind.is_namespaced() {
            true => Some(namespace?.to_owned()),
            false => None,
        };
        Some(Self { kind, namespace, name: name?.to_owned() })
    }

    /// The name of an object of this kind, if the kind is known.
    pub(super) fn named(kind: &str, namespace: Option<&str>, name: &str) -> Option<Self> {
        let kind = KINDS.iter().find(|it| it.name == kind)?;
        Self::new(kind, namespace, Some(name))
    }

    /// The name of a namespace.
    pub(super) fn namespace(name: &str) -> Self {
        Self { kind: &NAMESPACE, namespace: None, name: name.to_owned() }
    }

    pub(super) fn is(&self, kind: &str, name: &str) -> bool {
        self.kind.name == kind && self.name == name
    }
}

/// For instance `DaemonSet kube-system/sgx-plugin`.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        match namespace {
            Some(namespace) => write!(f, "{} {namespace}/{name}", kind.name),
            None => write!(f, "{} {name}", kind.name),
        }
    }
}
