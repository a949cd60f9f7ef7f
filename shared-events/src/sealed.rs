//! Personal data under its customer's key: events carry it through the whole choreography, only an adapter opens it,
//! and deleting the key forgets the customer everywhere at once.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, aead::Aead, aead::Payload};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use std::{fmt, marker::PhantomData, sync::Arc};

/// The first byte: how the rest is to be read.
const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// A `T` that was encrypted with XChaCha20-Poly1305 under a customer's key: `version ‖ nonce ‖ ciphertext ‖ tag`.
/// The customer's id is authenticated with it, so one customer's data never passes for another's.
/// Decisions and states can copy it but not look inside. Avro `bytes`; base64 where people read it.
pub struct Sealed<T> {
    bytes: Arc<[u8]>,
    holds: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// Takes bytes that were sealed before. Whether they are any good shows when they are opened.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Sealed<T> {
        Sealed { bytes: bytes.into(), holds: PhantomData }
    }

    /// The sealed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: Serialize> Sealed<T> {
    /// Encrypts `plain` for this customer, under a random nonce.
    ///
    /// # Errors
    /// When `plain` cannot be written, or the system has no randomness.
    pub fn seal(key: &CustomerKey, customer_id: &str, plain: &T) -> Result<Sealed<T>, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| SealError::NoRandomness(e.to_string()))?;
        // The parser's own words may quote the data, so they are dropped.
        let plain = serde_json::to_vec(plain).map_err(|_| SealError::NotWritable)?;
        let payload = Payload { msg: &plain, aad: customer_id.as_bytes() };
        let sealed = key.cipher().encrypt(&nonce.into(), payload).map_err(|_| SealError::NotWritable)?;
        Ok(Sealed::from_bytes([&[VERSION], &nonce[..], &sealed].concat()))
    }
}

impl<T: DeserializeOwned> Sealed<T> {
    /// Decrypts what was sealed for this customer.
    ///
    /// # Errors
    /// When it was sealed under another key, for another customer, in a newer way, or was changed since.
    pub fn open(&self, key: &CustomerKey, customer_id: &str) -> Result<T, SealError> {
        let Some((version, rest)) = self.bytes.split_first() else { return Err(SealError::TooShort(0)) };
        if *version != VERSION {
            return Err(SealError::UnknownVersion(*version));
        }
        let Some((nonce, msg)) = rest.split_first_chunk::<NONCE>().filter(|(_, msg)| msg.len() >= TAG) else {
            return Err(SealError::TooShort(self.bytes.len()));
        };
        let payload = Payload { msg, aad: customer_id.as_bytes() };
        let plain = key.cipher().decrypt(&(*nonce).into(), payload).map_err(|_| SealError::NotForThisKey)?;
        serde_json::from_slice(&plain).map_err(|_| SealError::NotReadable)
    }
}

/// Why something could not be sealed or opened. It never quotes the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The system's source of randomness failed.
    #[error("the system gives no randomness for a nonce or a key: {0}")]
    NoRandomness(String),
    /// The value has no JSON form.
    #[error("the value cannot be written as JSON, so it cannot be sealed")]
    NotWritable,
    /// Not even a nonce and a tag fit.
    #[error("{0} bytes are too few to be sealed data; they were cut off or never sealed")]
    TooShort(usize),
    /// A newer build sealed it.
    #[error("sealed in a way (version {0}) that this build does not know; run a newer build")]
    UnknownVersion(u8),
    /// The tag does not match.
    #[error("does not open: sealed under another key or for another customer, or changed since")]
    NotForThisKey,
    /// Authentic, but of another shape.
    #[error("opens, but does not hold what is expected; it was sealed by an incompatible build")]
    NotReadable,
}

/// The key of one customer: 32 bytes that show themselves nowhere.
#[derive(Clone)]
pub struct CustomerKey([u8; 32]);

impl CustomerKey {
    /// A new random key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<CustomerKey, SealError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| SealError::NoRandomness(e.to_string()))?;
        Ok(CustomerKey(bytes))
    }

    /// A key that was kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> CustomerKey {
        CustomerKey(bytes)
    }

    /// The key itself, for the keyring to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(…)")
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Sealed<T> {
        Sealed::from_bytes(Arc::clone(&self.bytes))
    }
}

impl<T> PartialEq for Sealed<T> {
    /// The same sealed bytes. Sealing twice gives two that differ.
    fn eq(&self, other: &Sealed<T>) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&BASE64.encode(&self.bytes))
        } else {
            serializer.serialize_bytes(&self.bytes)
        }
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sealed<T>, D::Error> {
        let bytes = if deserializer.is_human_readable() {
            deserializer.deserialize_str(BytesVisitor)
        } else {
            deserializer.deserialize_byte_buf(BytesVisitor)
        };
        bytes.map(Sealed::from_bytes)
    }
}

struct BytesVisitor;

impl de::Visitor<'_> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sealed bytes, or their base64")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
        BASE64.decode(text).map_err(|_| E::invalid_value(de::Unexpected::Other("something else"), &self))
    }
}
