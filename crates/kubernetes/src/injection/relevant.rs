//! Parses the fields of a pod that injection reads, and skips the others.
//!
//! A pod that the API server has not validated yet can have fields of any size. Skipped fields take
//! no memory; the memory of others is counted before it is allocated.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use k8s_openapi::api::core::v1::{Container, EnvVar, Pod, Toleration, Volume, VolumeMount};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::warnings;

/// The memory of a JSON object in bytes: a B-tree node in the pod's JSON before and after
/// injection.
const OBJECT_SIZE: usize = 2 * 11 * (size_of::<String>() + size_of::<Value>());
/// The memory of another JSON value in bytes, without its text: in the pod and in its JSON.
const VALUE_SIZE: usize = 3 * size_of::<Value>();
/// The number of concurrent copies of a text.
const COPIES: usize = 3;

/// The part of a JSON value to keep.
enum Part {
    /// A text, a number or another scalar.
    Scalar,
    /// A list, with this part of each element.
    List(&'static Part),
    /// The fields whose name matches, with this part of each.
    Fields(fn(&str) -> bool, &'static Part),
    /// These fields of an object, whose Rust type has this size in bytes.
    Object(usize, &'static [(&'static str, &'static Part)]),
}

use Part::{Fields, List, Object, Scalar};

/// The fields that the modules of injection read; add new ones here. Tests compare the results with
/// those of whole pods.
static POD: Part = Object(
    size_of::<Pod>(),
    &[("apiVersion", &Scalar), ("kind", &Scalar), ("metadata", &METADATA), ("spec", &SPEC)],
);
static METADATA: Part = Object(
    0,
    &[
        ("annotations", &Fields(warnings::is_relevant, &Scalar)),
        ("labels", &Fields(warnings::is_relevant, &Scalar)),
    ],
);
static SPEC: Part = Object(
    0,
    &[
        ("containers", &List(&CONTAINER)),
        ("initContainers", &List(&CONTAINER)),
        ("securityContext", &SECURITY_CONTEXT),
        ("tolerations", &List(&TOLERATION)),
        ("volumes", &List(&VOLUME)),
    ],
);
static CONTAINER: Part = Object(
    size_of::<Container>(),
    &[
        ("env", &List(&Object(size_of::<EnvVar>(), &[("name", &Scalar)]))),
        ("name", &Scalar),
        (
            "resources",
            &Object(
                0,
                &[("limits", &Fields(|_| true, &Scalar)), ("requests", &Fields(|_| true, &Scalar))],
            ),
        ),
        ("restartPolicy", &Scalar),
        ("securityContext", &SECURITY_CONTEXT),
        ("volumeMounts", &List(&VOLUME_MOUNT)),
    ],
);
static SECURITY_CONTEXT: Part = Object(0, &[("runAsUser", &Scalar)]);
static VOLUME_MOUNT: Part =
    Object(size_of::<VolumeMount>(), &[("mountPath", &Scalar), ("name", &Scalar)]);
static TOLERATION: Part = Object(
    size_of::<Toleration>(),
    &[("effect", &Scalar), ("key", &Scalar), ("operator", &Scalar)],
);
static VOLUME: Part = Object(
    size_of::<Volume>(),
    &[("hostPath", &Object(0, &[("path", &Scalar), ("type", &Scalar)])), ("name", &Scalar)],
);

/// A pod that cannot be parsed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It needs more memory than allowed.
    #[error("the pod has more parts than fit into {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// It is not a pod.
    #[error(transparent)]
    NotAPod(#[from] serde_json::Error),
}

/// A pod with the fields that injection reads.
pub(crate) struct RelevantPod {
    pub(crate) pod: Pod,
    /// True if the object has metadata, which a typed pod always has.
    pub(crate) has_metadata: bool,
}

/// Parses the pod within `memory` bytes, which include those of injection.
pub(crate) fn read(json: &str, memory: usize) -> Result<RelevantPod, ReadError> {
    let left = Cell::new(Some(memory));
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let kept = Keep { part: &POD, left: &left }.deserialize(&mut deserializer);
    if left.get().is_none() {
        return Err(ReadError::TooLarge(memory));
    }
    let kept = kept?;
    deserializer.end()?;
    let has_metadata = kept.get("metadata").is_some_and(|metadata| !metadata.is_null());
    Ok(RelevantPod { pod: serde_json::from_value(kept)?, has_metadata })
}

/// Parses a part of the next value.
#[derive(Clone, Copy)]
struct Keep<'a> {
    part: &'static Part,
    /// The remaining memory; `None` once exceeded.
    left: &'a Cell<Option<usize>>,
}

impl Keep<'_> {
    fn of(self, part: &'static Part) -> Self {
        Self { part, ..self }
    }

    fn charge<E: serde::de::Error>(self, size: usize) -> Result<(), E> {
        let left = self.left.get().and_then(|left| left.checked_sub(size));
        self.left.set(left);
        left.map(|_| ()).ok_or_else(|| E::custom("too large"))
    }

    /// Keeps a value of any type: a wrong one is detected when the pod is deserialized.
    fn scalar<E: serde::de::Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.charge(VALUE_SIZE)?;
        Ok(value.into())
    }

    fn text<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        self.charge(VALUE_SIZE.saturating_add(text.len().saturating_mul(COPIES)))?;
        Ok(text.to_owned())
    }

    /// The part of this field to keep, if any.
    fn field(self, name: &str) -> Option<&'static Part> {
        match self.part {
            Fields(holds, part) => holds(name).then_some(*part),
            Object(_, fields) => fields.iter().find(|(field, _)| *field == name).map(|it| it.1),
            Scalar | List(_) => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.scalar(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        self.charge(VALUE_SIZE)?;
        let mut kept = Vec::new();
        let List(part) = self.part else {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Array(kept));
        };
        while let Some(element) = elements.next_element_seed(self.of(part))? {
            kept.push(element);
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let typed = if let Object(size, _) = self.part { *size } else { 0 };
        self.charge(OBJECT_SIZE.saturating_add(typed))?;
        let mut kept = Map::new();
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            match self.field(&name) {
                Some(part) => {
                    let value = fields.next_value_seed(self.of(part))?;
                    kept.insert(self.text::<A::Error>(&name)?, value);
                }
                None => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(kept))
    }
}
