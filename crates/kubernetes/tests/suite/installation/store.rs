//! The objects of the API server.

use serde_json::{Map, Value, json};

use crate::installation::request::Request;

#[derive(Default)]
pub(crate) struct Store {
    objects: Vec<Stored>,
    version: u64,
}

struct Stored {
    resource: String,
    object: Value,
}

impl Stored {
    fn is(&self, request: &Request) -> bool {
        let metadata = &self.object["metadata"];
        self.resource == request.resource
            && request.namespace.as_ref().is_none_or(|it| metadata["namespace"] == **it)
            && request.name.as_ref().is_none_or(|it| metadata["name"] == **it)
    }

    fn is_selected(&self, request: &Request) -> bool {
        let labels = request.query.get("labelSelector").map_or("", |it| it);
        let has_label =
            |(label, value): (&str, &str)| self.object["metadata"]["labels"][label] == value;
        let fields = request.query.get("fieldSelector").map_or("", |it| it);
        let has_field = |(path, value): (&str, &str)| {
            let pointer = format!("/{}", path.replace('.', "/"));
            self.object.pointer(&pointer).is_some_and(|it| it == value)
        };
        let pairs = |text| str::split(text, ',').filter_map(|pair| pair.split_once('='));
        self.is(request) && pairs(labels).all(has_label) && pairs(fields).all(has_field)
    }
}

impl Store {
    /// Stores an object on behalf of others.
    pub(crate) fn put(&mut self, resource: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("uid-{}", self.version));
        }
        let name = |object: &Value| {
            [object["metadata"]["namespace"].clone(), object["metadata"]["name"].clone()]
        };
        self.objects.retain(|it| it.resource != resource || name(&it.object) != name(&object));
        self.objects.push(Stored { resource: resource.to_owned(), object: object.clone() });
        object
    }

    pub(crate) fn get(&self, request: &Request) -> Option<Value> {
        self.objects.iter().find(|it| it.is(request)).map(|it| it.object.clone())
    }

    pub(crate) fn list(&self, request: &Request) -> Value {
        let items = self.objects.iter().filter(|it| it.is_selected(request));
        let items: Vec<_> = items.map(|it| it.object.clone()).collect();
        json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": items })
    }

    /// Server-side apply without field managers: sets the given fields.
    pub(crate) fn apply(&mut self, request: &Request, object: &Value) -> Value {
        let mut applied = self.get(request).unwrap_or_else(|| json!({}));
        merge(&mut applied, object);
        if let Some(namespace) = &request.namespace {
            applied["metadata"]["namespace"] = json!(namespace);
        }
        match request.is_dry_run() {
            true => applied,
            false => self.put(&request.resource, applied),
        }
    }

    /// Removes an object and its contents.
    pub(crate) fn delete(&mut self, request: &Request) {
        self.objects.retain(|it| !it.is(request));
        if request.resource == "namespaces" {
            let namespace = request.name.as_deref().unwrap();
            self.objects.retain(|it| it.object["metadata"]["namespace"] != namespace);
        }
    }

    /// For instance `daemonsets sgx/sgx-plugin`, in order of creation.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |it: &Stored| {
            let metadata = &it.object["metadata"];
            let name = metadata["name"].as_str().unwrap();
            match metadata["namespace"].as_str() {
                Some(namespace) => format!("{} {namespace}/{name}", it.resource),
                None => format!("{} {name}", it.resource),
            }
        };
        self.objects.iter().map(name).collect()
    }
}

/// As in RFC 7396.
pub(crate) fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let into = into.as_object_mut().unwrap();
    for (key, value) in patch {
        match value {
            Value::Null => drop(into.remove(key)),
            value => merge(into.entry(key).or_insert(Value::Null), value),
        }
    }
}
