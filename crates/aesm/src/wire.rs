//! The part of the proto2 encoding that AESM messages are made of: unsigned integers, byte strings
//! and messages within messages.
//!
//! No protobuf library, because the protocol's answer to a damaged request depends on where it is
//! damaged (`request.rs`), which libraries do not report.

/// The bytes do not follow the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A field's value. Fixed-size values are skipped over: AESM has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Integer(u64),
    Bytes(&'a [u8]),
    Skipped,
}

/// The fields of a message, in order, up to the first malformed one.
#[derive(Clone)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// The number of the next field, even if its value is cut short; `None` at the end and if no
    /// field can be recognized.
    pub(crate) fn next_number(&self) -> Option<u32> {
        let (number, wire_type) = self.clone().key().ok()?;
        (wire_type <= 5).then_some(number)
    }

    fn key(&mut self) -> Result<(u32, u64), Malformed> {
        let key = u32::try_from(self.integer()?).map_err(|_| Malformed)?;
        match key >> 3 {
            0 => Err(Malformed),
            number => Ok((number, u64::from(key & 7))),
        }
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), Malformed> {
        let (number, wire_type) = self.key()?;
        let value = match wire_type {
            0 => Value::Integer(self.integer()?),
            1 => self.take(8).map(|_| Value::Skipped)?,
            2 => {
                let size = usize::try_from(self.integer()?).map_err(|_| Malformed)?;
                Value::Bytes(self.take(size)?)
            }
            5 => self.take(4).map(|_| Value::Skipped)?,
            _ => return Err(Malformed),
        };
        Ok((number, value))
    }

    /// A base-128 integer: seven bits a byte, the lowest first, at most ten bytes.
    fn integer(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { return Err(Malformed) };
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// A message with well-formed fields only. Of several fields with one number the last counts. A
/// field of an unexpected type is ignored.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        Fields::of(bytes).try_for_each(|field| field.map(|_| ()))?;
        Ok(Self(bytes))
    }

    pub(crate) fn integer(self, number: u32) -> Option<u64> {
        self.last(number, |value| match value {
            Value::Integer(integer) => Some(integer),
            _ => None,
        })
    }

    /// An integer of 32 bits; the encoding cuts off higher ones.
    pub(crate) fn integer32(self, number: u32) -> Option<u32> {
        self.integer(number).map(|integer| (integer & u64::from(u32::MAX)) as u32)
    }

    pub(crate) fn bytes(self, number: u32) -> Option<&'a [u8]> {
        self.last(number, |value| match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        })
    }

    fn last<T>(self, number: u32, read: impl Fn(Value<'a>) -> Option<T>) -> Option<T> {
        let fields = Fields::of(self.0).flatten().filter(|(this, _)| *this == number);
        fields.filter_map(|(_, value)| read(value)).last()
    }
}

/// Writes a message field by field.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn integer(mut self, number: u32, value: impl Into<Option<u64>>) -> Self {
        if let Some(value) = value.into() {
            self.push(u64::from(number) << 3);
            self.push(value);
        }
        self
    }

    pub(crate) fn integer32(self, number: u32, value: impl Into<Option<u32>>) -> Self {
        self.integer(number, value.into().map(u64::from))
    }

    pub(crate) fn bytes<'a>(mut self, number: u32, value: impl Into<Option<&'a [u8]>>) -> Self {
        if let Some(value) = value.into() {
            self.0.reserve(value.len().saturating_add(16));
            self = self.begin(number, value);
            self.0.extend_from_slice(value);
        }
        self
    }

    fn begin(mut self, number: u32, value: &[u8]) -> Self {
        self.push(u64::from(number) << 3 | 2);
        self.push(value.len() as u64);
        self
    }

    /// The number and length before a byte string.
    pub(crate) fn head(number: u32, value: &[u8]) -> Self {
        Self::default().begin(number, value)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn push(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
