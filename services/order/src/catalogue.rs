//! What the shop sells, and for how much. Prices are the shop's, never the client's.

use runtime::http::Problem;
use serde::Deserialize;
use shared_events::{Line, Money, Sku};
use std::{collections::BTreeMap, path::Path};

const BUILT_IN: &str = include_str!("catalogue.json");
const PRODUCTS: usize = 10_000;

/// One article.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Names it.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// What one costs, in the smallest unit of `currency`.
    pub unit_price_minor: i64,
    /// ISO 4217; the same for all articles.
    pub currency: String,
}

/// Everything the shop sells: at least one article, all in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    products: BTreeMap<Sku, Product>,
    currency: String,
}

/// Why something is no catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin} cannot be used as the shop's catalogue: {why}")]
pub struct CatalogueError {
    /// Which file.
    pub origin: String,
    /// What is wrong with it.
    pub why: String,
}

impl Catalogue {
    /// The one that is compiled in.
    ///
    /// # Errors
    /// When it is wrong, which a test rules out.
    pub fn built_in() -> Result<Catalogue, CatalogueError> {
        Catalogue::read("the built-in catalogue", BUILT_IN)
    }

    /// Reads a file: a JSON array of `{"sku","name","unit_price_minor","currency"}`.
    ///
    /// # Errors
    /// When it cannot be read, or is wrong.
    pub fn load(path: &Path) -> Result<Catalogue, CatalogueError> {
        let origin = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Catalogue::read(&origin, &text),
            Err(error) => Err(CatalogueError { origin, why: error.to_string() }),
        }
    }

    fn read(origin: &str, text: &str) -> Result<Catalogue, CatalogueError> {
        let read = || {
            let listed: Vec<Product> = serde_json::from_str(text).map_err(|error| error.to_string())?;
            Catalogue::of(listed)
        };
        read().map_err(|why| CatalogueError { origin: origin.to_owned(), why })
    }

    fn of(listed: Vec<Product>) -> Result<Catalogue, String> {
        let currency = match listed.first() {
            Some(first) if listed.len() <= PRODUCTS => first.currency.clone(),
            _ => return Err(format!("it lists {} articles; there must be 1 to {PRODUCTS}", listed.len())),
        };
        let mut products = BTreeMap::new();
        for product in listed {
            product.check(&currency)?;
            if let Some(twice) = products.insert(product.sku.clone(), product) {
                return Err(format!("{} is listed twice", twice.sku));
            }
        }
        Ok(Catalogue { products, currency })
    }

    /// All articles, by SKU.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }

    /// One article.
    #[must_use]
    pub fn product(&self, sku: &str) -> Option<&Product> {
        self.products.get(sku)
    }

    /// What is wanted, at the shop's prices, and what it costs in all.
    ///
    /// # Errors
    /// A problem that names the line when an article is not sold here, or the sum does not fit.
    pub fn price(&self, wanted: &[(Sku, i64)]) -> Result<(Vec<Line>, Money), Problem> {
        let mut total = Money { amount_minor: 0, currency: self.currency.clone() };
        let mut lines = Vec::with_capacity(wanted.len());
        for (index, (sku, quantity)) in wanted.iter().enumerate() {
            let product = self.product(sku).ok_or_else(|| unknown_sku(index, sku))?;
            let unit_price_minor = product.unit_price_minor;
            let cost = unit_price_minor.checked_mul(*quantity).and_then(|cost| total.amount_minor.checked_add(cost));
            total.amount_minor = cost.ok_or_else(|| too_dear(index))?;
            lines.push(Line { sku: sku.clone(), quantity: *quantity, unit_price_minor });
        }
        Ok((lines, total))
    }
}

impl Product {
    fn check(&self, currency: &str) -> Result<(), String> {
        let Product { sku, name, .. } = self;
        let wrong = |what: &str| Err(format!("{sku:?}: {what}"));
        if !is_name(sku) {
            return wrong("a SKU is 1 to 64 characters of A-Z a-z 0-9 . _ -");
        }
        if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return wrong("the name must be 1 to 200 characters, without control characters");
        }
        if self.unit_price_minor < 0 {
            return wrong("unit_price_minor must not be below 0");
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return wrong("the currency must be an ISO 4217 code as EUR");
        }
        if self.currency != currency {
            return wrong(&format!(
                "it is sold for {}, others for {currency}; there can be one currency",
                self.currency
            ));
        }
        Ok(())
    }
}

/// What customers and articles may be called: these names are parts of keys, paths and log lines.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

fn unknown_sku(index: usize, sku: &str) -> Problem {
    let detail = format!("{sku:?} is not sold here; GET /products lists what is.");
    let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "unknown-sku", "Unknown SKU", detail).about(format!("lines[{index}].sku"))
}

fn too_dear(index: usize) -> Problem {
    let detail = "The total is more than can be charged; order less.";
    let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "total-too-large", "The total is too large", detail).about(format!("lines[{index}].quantity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(wanted: &[(&str, i64)]) -> Result<(Vec<Line>, Money), Problem> {
        let wanted: Vec<_> = wanted.iter().map(|(sku, quantity)| ((*sku).to_owned(), *quantity)).collect();
        Catalogue::built_in().unwrap().price(&wanted)
    }

    #[test]
    fn the_built_in_catalogue_is_right() {
        assert_eq!(Catalogue::built_in().unwrap().products().count(), 8);
    }

    #[test]
    fn the_total_is_the_sum_over_all_lines() {
        let (lines, total) = price(&[("TEA-001", 2), ("CUP-001", 1), ("TEA-001", 1)]).unwrap();
        assert_eq!(total, Money { amount_minor: 3 * 1295 + 850, currency: "EUR".into() });
        assert_eq!(lines[2], Line { sku: "TEA-001".into(), quantity: 1, unit_price_minor: 1295 });
    }

    #[test]
    fn an_unknown_sku_is_named_by_its_line() {
        let problem = price(&[("TEA-001", 1), ("TEA-999", 1)]).unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.field()), (422, Some("lines[1].sku")));
    }

    #[test]
    fn a_total_that_does_not_fit_is_a_problem() {
        let problem = price(&[("TEA-001", 1), ("CUP-001", i64::MAX)]).unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.field()), (422, Some("lines[1].quantity")));
        assert!(price(&[("TEA-001", i64::MAX / 1295), ("TEA-001", i64::MAX / 1295)]).is_err());
    }

    #[test]
    fn a_wrong_catalogue_says_what_is_wrong() {
        let good = r#"{"sku":"A","name":"a","unit_price_minor":1,"currency":"EUR"}"#;
        let cases = [
            ("nonsense".to_owned(), "line 1"),
            ("[]".to_owned(), "0 articles"),
            (format!("[{good},{good}]"), "A is listed twice"),
            (format!("[{}]", good.replace("\"A\"", "\"A B\"")), "a SKU is"),
            (format!("[{}]", good.replace("\"a\"", "\" \"")), "the name"),
            (format!("[{}]", good.replace("minor\":1", "minor\":-1")), "below 0"),
            (format!("[{}]", good.replace("EUR", "Eur")), "ISO 4217"),
            (format!("[{good},{}]", good.replace("EUR", "USD").replace("\"A\"", "\"B\"")), "one currency"),
            (format!("[{}]", good.replace("\"name\"", "\"title\"")), "unknown field"),
        ];
        for (text, expected) in cases {
            let error = Catalogue::read("shop.json", &text).unwrap_err().to_string();
            assert!(error.starts_with("shop.json ") && error.contains(expected), "{text}: {error}");
        }
        let error = Catalogue::load(Path::new("/nowhere/shop.json")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/shop.json "), "{error}");
    }
}
