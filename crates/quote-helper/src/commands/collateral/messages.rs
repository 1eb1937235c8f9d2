//! Messages about things that may be as many as others like.

/// Messages that are kept; of further ones there is a count.
const MOST: usize = 100;

/// The first messages, each no longer than a line, and how many more there were.
#[derive(Debug, Default)]
pub(super) struct Messages {
    first: Vec<String>,
    more: u64,
}

impl Messages {
    pub(super) fn push(&mut self, message: &str) {
        match self.first.len() < MOST {
            true => self.first.push(printable::line(message).into_owned()),
            false => self.more = self.more.saturating_add(1),
        }
    }
}

/// The messages, and one that says how many are left out.
impl From<Messages> for Vec<String> {
    fn from(Messages { mut first, more }: Messages) -> Self {
        if more > 0 {
            first.push(format!("and {more} more"));
        }
        first
    }
}
