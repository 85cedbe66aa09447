//! As much of RabbitMQ's definitions as concerns us: what `rabbitmqctl import_definitions` reads and
//! `export_definitions` writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How RabbitMQ is told that a hash is of SHA-256.
pub(super) const SHA256: &str = "rabbit_password_hashing_sha256";

/// A broker's definitions, or a part of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Definitions {
    /// Virtual hosts.
    pub vhosts: Vec<Vhost>,
    /// Users.
    pub users: Vec<User>,
    /// What they may do in a virtual host.
    pub permissions: Vec<Permission>,
    /// Which routing keys they may use at a topic exchange.
    pub topic_permissions: Vec<TopicPermission>,
    /// Limits of queues.
    pub policies: Vec<Policy>,
}

/// A virtual host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vhost {
    /// Its name.
    pub name: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// See [`muster_schema::bus::hash_password`].
    #[serde(default)]
    pub password_hash: String,
    /// By what the hash was made.
    #[serde(default)]
    pub hashing_algorithm: String,
    /// Those that RabbitMQ knows give rights; ours gives none.
    #[serde(default)]
    pub tags: Tags,
    /// `max-connections`, `max-channels`.
    #[serde(default)]
    pub limits: BTreeMap<String, u64>,
}

/// Tags, in either of the forms in which RabbitMQ writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TagsForm")]
pub struct Tags(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum TagsForm {
    List(Vec<String>),
    Text(String),
}

impl From<TagsForm> for Tags {
    fn from(form: TagsForm) -> Self {
        match form {
            TagsForm::List(list) => Tags(list),
            TagsForm::Text(text) => Tags(text.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()),
        }
    }
}

/// What a user may do in a virtual host; regular expressions for names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Who.
    pub user: String,
    /// Where.
    pub vhost: String,
    /// Declare and delete.
    pub configure: String,
    /// Publish to, bind from.
    pub write: String,
    /// Consume, bind to.
    pub read: String,
}

/// Which routing keys a user may use at a topic exchange; regular expressions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicPermission {
    /// Who.
    pub user: String,
    /// Where.
    pub vhost: String,
    /// At which exchange.
    pub exchange: String,
    /// To publish by.
    pub write: String,
    /// To bind by.
    pub read: String,
}

/// Limits of the queues whose names match a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Where.
    pub vhost: String,
    /// Its name.
    pub name: String,
    /// Of which queues.
    pub pattern: String,
    /// `queues`.
    #[serde(rename = "apply-to")]
    pub apply_to: String,
    /// The limits.
    pub definition: serde_json::Map<String, serde_json::Value>,
    /// Of several policies of a queue the highest counts.
    #[serde(default)]
    pub priority: i64,
}
