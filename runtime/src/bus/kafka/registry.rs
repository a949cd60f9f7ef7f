//! The schema registry's API, as far as it is used here (that of Confluent, which others speak too). Nothing is kept
//! and nothing is tried again here: whoever asks decides what an error means. Each request ends within a few seconds.

use reqwest::{Method, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use std::time::Duration;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Codes of the API for "there is no such subject / version / schema".
const NOT_FOUND: [u32; 3] = [40401, 40402, 40403];

/// Why the registry did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It cannot be reached, does not answer in time, or answers nonsense: it may well do so later.
    #[error("the schema registry {url} is away: {why}")]
    Away {
        /// Where it was looked for.
        url: String,
        /// What happened.
        why: String,
    },
    /// It knows us, and does not let us.
    #[error(
        "the schema registry {url} does not permit it ({status}): give these credentials the right to read and, for `tutti schemas register`, to write, or correct those in SCHEMA_REGISTRY_URL"
    )]
    Forbidden {
        /// Where it is.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// It refuses the request for good.
    #[error("the schema registry {url} refuses it ({status}): {message}")]
    Refused {
        /// Where it is.
        url: String,
        /// The HTTP status.
        status: u16,
        /// In the registry's words.
        message: String,
    },
    /// `SCHEMA_REGISTRY_URL` is no address.
    #[error("SCHEMA_REGISTRY_URL is `{url}`, which is no address: {why}; give one like http://localhost:8081")]
    NoAddress {
        /// What it is.
        url: String,
        /// Why that is none.
        why: String,
    },
}

/// A registry.
#[derive(Clone, Debug)]
pub struct Registry {
    http: reqwest::Client,
    url: Url,
    /// Without the password.
    shown: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error_code: u32,
    #[serde(default)]
    message: String,
}

/// What came back.
enum Answer<R> {
    Found(R),
    NotFound,
}

impl Registry {
    /// The registry at an address. It is not asked anything yet.
    ///
    /// # Errors
    /// [`RegistryError::NoAddress`].
    pub fn at(url: &str) -> Result<Registry, RegistryError> {
        let no_address = |why: String| RegistryError::NoAddress { url: url.to_owned(), why };
        let parsed = Url::parse(url).map_err(|e| no_address(e.to_string()))?;
        if parsed.cannot_be_a_base() {
            return Err(no_address("it has no host".into()));
        }
        let mut shown = parsed.clone();
        // Fails for addresses that cannot have a password anyway.
        _ = shown.set_password(None);
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .no_proxy() // it is one of the shop's own servers
            .build();
        let http = client.map_err(|e| no_address(e.to_string()))?;
        Ok(Registry { http, url: parsed, shown: shown.to_string() })
    }

    /// The text of the schema with this id, if there is one.
    ///
    /// # Errors
    /// When it cannot be learned now.
    pub async fn schema(&self, id: u32) -> Result<Option<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Schema {
            schema: String,
        }
        let found = self.call::<Schema>(Method::GET, &["schemas", "ids", &id.to_string()], None).await?;
        Ok(if let Answer::Found(found) = found { Some(found.schema) } else { None })
    }

    /// The names of all subjects.
    ///
    /// # Errors
    /// When they cannot be learned now.
    pub async fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        match self.call(Method::GET, &["subjects"], None).await? {
            Answer::Found(subjects) => Ok(subjects),
            Answer::NotFound => Ok(vec![]),
        }
    }

    /// The id under which a subject has this schema, if it has. Writes nothing.
    ///
    /// # Errors
    /// When it cannot be learned now.
    pub async fn id_of(&self, subject: &str, schema: &str) -> Result<Option<u32>, RegistryError> {
        let found = self.call::<Registered>(Method::POST, &["subjects", subject], Some(avro(schema))).await?;
        Ok(if let Answer::Found(found) = found { Some(found.id) } else { None })
    }

    /// Adds a schema to a subject, and returns its id; the id it has already, if it is there.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] with status 409 when it is not compatible with what the subject has.
    pub async fn register(&self, subject: &str, schema: &str) -> Result<u32, RegistryError> {
        let path = ["subjects", subject, "versions"];
        match self.call::<Registered>(Method::POST, &path, Some(avro(schema))).await? {
            Answer::Found(found) => Ok(found.id),
            Answer::NotFound => Err(self.away("it says that it has no such path".into())),
        }
    }

    /// Says what new schemas of a subject must be compatible with, from now on. False when the registry knows no such
    /// subject yet.
    ///
    /// # Errors
    /// When it is not permitted, or not possible now.
    pub async fn require(&self, subject: &str, level: &str) -> Result<bool, RegistryError> {
        let body = json!({ "compatibility": level });
        let answer = self.call::<Json>(Method::PUT, &["config", subject], Some(body)).await?;
        Ok(matches!(answer, Answer::Found(_)))
    }

    /// Whether the registry would add a schema to a subject, going by its rules; none when it would, else why not.
    ///
    /// # Errors
    /// When it cannot be learned now.
    pub async fn misfit(&self, subject: &str, schema: &str) -> Result<Option<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Judgement {
            is_compatible: bool,
            #[serde(default)]
            messages: Vec<String>,
        }
        let path = ["compatibility", "subjects", subject, "versions"];
        let judged = self.call::<Judgement>(Method::POST, &path, Some(avro(schema))).await?;
        Ok(match judged {
            Answer::Found(judged) if !judged.is_compatible => Some(judged.messages.join("; ")),
            Answer::Found(_) | Answer::NotFound => None, // a subject without schemas takes any
        })
    }

    async fn call<R: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Json>,
    ) -> Result<Answer<R>, RegistryError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if path[0] == "compatibility" {
            url.set_query(Some("verbose=true"));
        }
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(|e| self.away(causes(&e.without_url())))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|e| self.away(causes(&e.without_url())))?;
        if status.is_success() {
            let found = serde_json::from_slice(&bytes);
            return found.map(Answer::Found).map_err(|e| self.away(format!("its answer is not understood: {e}")));
        }
        self.refusal(status, &bytes)
    }

    /// Only what is surely about the request counts as an answer to it.
    fn refusal<R>(&self, status: StatusCode, body: &[u8]) -> Result<Answer<R>, RegistryError> {
        let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
        match (status.as_u16(), refusal) {
            (404, Some(refusal)) if NOT_FOUND.contains(&refusal.error_code) => Ok(Answer::NotFound),
            (status @ (401 | 403), _) => Err(RegistryError::Forbidden { url: self.shown.clone(), status }),
            (status @ (409 | 422), Some(refusal)) => {
                Err(RegistryError::Refused { url: self.shown.clone(), status, message: refusal.message })
            }
            (status, refusal) => {
                let message = refusal.map(|refusal| refusal.message).filter(|message| !message.is_empty());
                Err(self.away(format!("it answers {status}{}", message.map(|m| format!(": {m}")).unwrap_or_default())))
            }
        }
    }

    fn away(&self, why: String) -> RegistryError {
        RegistryError::Away { url: self.shown.clone(), why }
    }
}

#[derive(Deserialize)]
struct Registered {
    id: u32,
}

fn avro(schema: &str) -> Json {
    json!({ "schema": schema, "schemaType": "AVRO" })
}

/// The HTTP client's errors say what happened only in their causes.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
