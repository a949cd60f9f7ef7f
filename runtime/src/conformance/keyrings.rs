//! The suite for keyrings: one key for each customer, for good, whoever asks first; and none any more for one who was
//! forgotten.

use crate::keyring::{KeyError, Keyring};
use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::Arc,
};
use tokio::runtime::Handle;

/// One place where keys are kept.
pub struct Keys {
    /// Opens a keyring on them, as another process would: with nothing in its cache.
    pub open: Box<dyn Fn() -> Arc<dyn Keyring>>,
    /// Forgets a customer: in place of the key there is a tombstone.
    pub forget: Box<Forget>,
}

/// Forgets this customer.
pub type Forget = dyn Fn(String) -> Pin<Box<dyn Future<Output = ()>>>;

type Checked<'k> = Pin<Box<dyn Future<Output = Result<(), KeyError>> + 'k>>;
type Check = fn(&Keys) -> Checked<'_>;

const CHECKS: [(&str, Check); 5] = [
    ("a key is made once and stays", |keys| Box::pin(made_once(keys))),
    ("looking for a key makes none", |keys| Box::pin(looking_makes_none(keys))),
    ("all who make the same key at once get the same one", |keys| Box::pin(made_at_once(keys))),
    ("a customer who was forgotten has no key, and never gets one", |keys| Box::pin(forgotten(keys))),
    ("customers are told apart by every character of their names", |keys| Box::pin(told_apart(keys))),
];

/// Holds a keyring to its contract. `fresh` makes an empty place each time it is called.
///
/// # Errors
/// When the keyring fails where it must not.
///
/// # Panics
/// When it does something else than it must.
pub fn keyring(runtime: &Handle, mut fresh: impl FnMut() -> Keys) -> Result<(), KeyError> {
    for (name, check) in CHECKS {
        println!("keyring: {name}");
        let keys = fresh();
        runtime.block_on(check(&keys))?;
    }
    Ok(())
}

async fn made(keyring: &dyn Keyring, customer: &str) -> Result<[u8; 32], KeyError> {
    Ok(*keyring.make_or_get(customer).await?.as_bytes())
}

async fn made_once(keys: &Keys) -> Result<(), KeyError> {
    let keyring = (keys.open)();
    let key = made(&*keyring, "c-1").await?;
    assert_ne!(key, [0; 32]);
    for keyring in [keyring, (keys.open)()] {
        assert_eq!(*keyring.get("c-1").await?.as_bytes(), key);
        assert_eq!(made(&*keyring, "c-1").await?, key);
    }
    Ok(())
}

async fn looking_makes_none(keys: &Keys) -> Result<(), KeyError> {
    let keyring = (keys.open)();
    for _ in 0..2 {
        assert_eq!(keyring.get("c-1").await.err(), Some(KeyError::Unknown));
    }
    // That there was none is not remembered.
    made(&*(keys.open)(), "c-1").await?;
    keyring.get("c-1").await.map(drop)
}

async fn made_at_once(keys: &Keys) -> Result<(), KeyError> {
    let keyrings = [(keys.open)(), (keys.open)()];
    let customers: Vec<String> = (0..100).map(|n| format!("c-{}", n % 20)).collect();
    let mut asked = vec![];
    for (place, customer) in customers.iter().enumerate() {
        for turn in 0..2 {
            let (keyring, customer) = (keyrings[(place + turn) % 2].clone(), customer.clone());
            asked.push(tokio::spawn(async move { Ok((customer.clone(), made(&*keyring, &customer).await?)) }));
        }
    }
    let mut first = HashMap::new();
    for asked in asked {
        let gone = |error: tokio::task::JoinError| KeyError::Away(error.to_string());
        let (customer, key): (String, [u8; 32]) = asked.await.map_err(gone)??;
        assert_eq!(*first.entry(customer).or_insert(key), key);
    }
    let distinct: HashSet<_> = first.values().collect();
    assert_eq!((first.len(), distinct.len()), (20, 20));
    Ok(())
}

async fn forgotten(keys: &Keys) -> Result<(), KeyError> {
    let keyring = (keys.open)();
    let kept = made(&*keyring, "c-2").await?;
    made(&*keyring, "c-1").await?;
    (keys.forget)("c-1".into()).await;
    let keyring = (keys.open)();
    for _ in 0..2 {
        assert_eq!(keyring.get("c-1").await.err(), Some(KeyError::Forgotten));
        assert_eq!(keyring.make_or_get("c-1").await.err(), Some(KeyError::Forgotten));
    }
    assert_eq!(*keyring.get("c-2").await?.as_bytes(), kept);
    Ok(())
}

async fn told_apart(keys: &Keys) -> Result<(), KeyError> {
    let names = ["", "c", "C", "c ", "c\0", "c\u{1}", "c\u{1}\u{1}", "ç", "c\u{327}", "'; DROP TABLE customer_key; --"];
    let keyring = (keys.open)();
    let mut made_for = vec![];
    for name in names {
        made_for.push(made(&*keyring, name).await?);
    }
    let distinct: HashSet<_> = made_for.iter().collect();
    assert_eq!(distinct.len(), names.len());
    let keyring = (keys.open)();
    for (name, key) in names.iter().zip(&made_for) {
        assert_eq!(keyring.get(name).await?.as_bytes(), key, "{name:?}");
    }
    Ok(())
}
