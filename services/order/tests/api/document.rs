//! The OpenAPI document and the products.

use crate::shop::Shop;
use order::catalogue::Catalogue;

#[tokio::test]
async fn products_have_the_shops_prices() {
    let shop = Shop::open();
    let answer = shop.get("/products").await;
    let tea = answer.body["items"].as_array().unwrap().iter().find(|item| item["sku"] == "TEA-001").unwrap();
    assert_eq!((&tea["unit_price_minor"], &tea["currency"]), (&1295.into(), &"EUR".into()));
    assert_eq!(answer.body["items"].as_array().unwrap().len(), Catalogue::built_in().unwrap().products().count());
}

#[tokio::test]
async fn every_operation_is_described() {
    let shop = Shop::open();
    let document = shop.document();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/orders", "/orders/{id}", "/orders/{id}/cancellation", "/products"]);
    for operation in paths.values().flat_map(|path| path.as_object().unwrap().values()) {
        assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{operation}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let kind = if status.as_str() < "400" { "application/json" } else { "application/problem+json" };
            assert!(response["content"][kind]["schema"].is_object(), "{status}: {response}");
        }
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let shop = Shop::open();
    let document = shop.document();
    let text = document.to_string();
    assert!(text.contains("\"$ref\":\"#/components/schemas/Problem\""));
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
