//! A bounded list of messages: untrusted files can cause any number of them.

/// Maximum messages stored; further ones are counted.
const MAX_MESSAGES: usize = 100;

/// The first messages, one line each, and the number of others.
#[derive(Debug, Default)]
pub(super) struct Messages {
    first: Vec<String>,
    more: u64,
}

impl Messages {
    pub(super) fn push(&mut self, message: &str) {
        match self.first.len() < MAX_MESSAGES {
            true => self.first.push(printable::line(message).into_owned()),
            false => self.more = self.more.saturating_add(1),
        }
    }
}

/// The messages, with a last one about those not stored.
impl From<Messages> for Vec<String> {
    fn from(Messages { mut first, more }: Messages) -> Self {
        if more > 0 {
            first.push(format!("and {more} more"));
        }
        first
    }
}
