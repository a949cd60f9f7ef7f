//! The shop's secret: what makes order ids and request fingerprints impossible to guess or to forge.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

const LENGTH: usize = 32;

/// 32 random bytes that belong to one shop for good. An order's id is derived from them, the customer and the
/// Idempotency-Key, so whoever loses them places repeated requests a second time: back the file up with the data.
#[derive(Clone)]
pub struct ShopSecret([u8; LENGTH]);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or written.
    #[error("cannot use the shop's secret in {path}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is no secret.
    #[error(
        "{path} should hold the shop's secret, {LENGTH} bytes, but holds {length}; restore it from a backup of this \
         data directory (a new secret would let repeated requests place their order twice)"
    )]
    Length {
        /// Which file.
        path: String,
        /// How long it is.
        length: usize,
    },
    /// A setting is no secret. It does not show the value.
    #[error("{setting} must hold {} hexadecimal digits, and holds {length} characters; make one with: openssl rand -hex {LENGTH}", 2 * LENGTH)]
    Hex {
        /// Which setting.
        setting: &'static str,
        /// How long its value is.
        length: usize,
    },
    /// The system has no randomness for a new one.
    #[error("the system gives no randomness for the shop's secret: {0}")]
    NoRandomness(String),
}

impl ShopSecret {
    /// A new random secret.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<ShopSecret, SecretError> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|e| SecretError::NoRandomness(e.to_string()))?;
        Ok(ShopSecret(bytes))
    }

    /// A secret that is kept elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; LENGTH]) -> ShopSecret {
        ShopSecret(bytes)
    }

    /// The secret that `setting` holds in hexadecimal digits.
    ///
    /// # Errors
    /// When there are more or fewer than 64, or other characters.
    pub fn from_hex(setting: &'static str, value: &str) -> Result<ShopSecret, SecretError> {
        let digits: Option<Vec<u8>> =
            value.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
        let bytes = digits.map(|digits| digits.chunks(2).map(|pair| pair.iter().fold(0, |n, d| n << 4 | d)).collect());
        let bytes: Option<[u8; LENGTH]> =
            bytes.filter(|_| value.len() == 2 * LENGTH).and_then(|b: Vec<u8>| b.try_into().ok());
        bytes.map(ShopSecret).ok_or_else(|| SecretError::Hex { setting, length: value.chars().count() })
    }

    /// Reads the secret in `path`; makes and keeps a new one if the file is not there. The caller decides whether it
    /// may be missing: where orders exist it must not.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn open_or_create(path: &Path) -> Result<ShopSecret, SecretError> {
        match fs::read(path) {
            Ok(bytes) => Self::read(path, &bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(e) => Err(at(path)(e)),
        }
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<ShopSecret, SecretError> {
        let wrong = |_| SecretError::Length { path: path.display().to_string(), length: bytes.len() };
        bytes.try_into().map(ShopSecret).map_err(wrong)
    }

    /// Writes beside the file and links it there, so that a crash leaves the whole secret or none, and of two processes
    /// that start at once the first wins.
    fn create(path: &Path) -> Result<ShopSecret, SecretError> {
        let made = ShopSecret::generate()?;
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        let linked = write_durably(&draft, &made.0).and_then(|()| fs::hard_link(&draft, path));
        let removed = fs::remove_file(&draft);
        match linked {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let bytes = fs::read(path).map_err(at(path))?;
                Self::read(path, &bytes)
            }
            kept => {
                kept.and(removed).and_then(|()| sync_folder(path)).map_err(at(path))?;
                Ok(made)
            }
        }
    }

    /// HMAC-SHA256 over `purpose` and `parts`. Each is preceded by its length, so no two lists have the same bytes.
    #[must_use]
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new(&self.block().into());
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// HMAC pads a short key with zeros to the hash's block; done here, no key can have a wrong length.
    fn block(&self) -> [u8; 64] {
        let mut block = [0; 64];
        block[..LENGTH].copy_from_slice(&self.0);
        block
    }
}

impl fmt::Debug for ShopSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShopSecret(…)")
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> SecretError + '_ {
    |cause| SecretError::File { path: path.display().to_string(), cause }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A new name is durable once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) && !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> ShopSecret {
        ShopSecret::from_bytes([7; 32])
    }

    #[test]
    fn a_mac_depends_on_the_secret_the_purpose_and_every_part() {
        let mac = secret().mac("order-id", &[b"c-42", b"key"]);
        assert_eq!(mac, secret().mac("order-id", &[b"c-42", b"key"]));
        assert_ne!(mac, ShopSecret::from_bytes([8; 32]).mac("order-id", &[b"c-42", b"key"]));
        assert_ne!(mac, secret().mac("request", &[b"c-42", b"key"]));
        assert_ne!(mac, secret().mac("order-id", &[b"c-4", b"2key"]));
        assert_ne!(mac, secret().mac("order-id", &[b"c-42key"]));
    }

    #[test]
    fn a_mac_is_hmac_sha256() {
        // RFC 4231 knows no key of 32 bytes with this framing, so this is fixed by another implementation (Python hmac).
        let mac = secret().mac("p", &[b"x"]);
        let hex: String = mac.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "99d0c90903912620b936a11c1360a73e5e1edff183de505d72f590ebd8c0adc5");
    }

    #[test]
    fn a_setting_holds_it_in_hexadecimal_digits_and_never_shows() {
        let hex = "00ff".repeat(16);
        let read = ShopSecret::from_hex("SHOP_SECRET", &hex.to_uppercase()).unwrap();
        assert_eq!(read.0[..4], [0, 255, 0, 255]);
        for wrong in ["", &hex[1..], &format!("{hex}00"), &hex.replace('f', "g"), &"ä".repeat(32)] {
            let error = ShopSecret::from_hex("SHOP_SECRET", wrong).unwrap_err().to_string();
            assert!(error.starts_with("SHOP_SECRET must hold 64 hexadecimal digits"), "{error}");
        }
    }

    #[test]
    fn it_stays_the_same_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.secret");
        let first = ShopSecret::open_or_create(&path).unwrap();
        let again = ShopSecret::open_or_create(&path).unwrap();
        assert_eq!(first.0, again.0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        assert_eq!(format!("{first:?}"), "ShopSecret(…)");
    }

    #[test]
    fn of_two_that_start_at_once_the_first_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.secret");
        let first = ShopSecret::open_or_create(&path).unwrap();
        assert_eq!(ShopSecret::create(&path).unwrap().0, first.0);
    }

    #[test]
    fn a_damaged_file_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.secret");
        fs::write(&path, b"short").unwrap();
        let error = ShopSecret::open_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("shop.secret") && error.contains("holds 5") && error.contains("backup"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }
}
