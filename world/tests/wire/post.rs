//! The post's port: the simulator, and a real SMTP server with the SMS centre over HTTP.

use crate::{
    mailbox::{mail_server, received, unique},
    served::Served,
};
use email::mail::{PostError, conformance};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_in_this_process_passes_the_suite() {
    let served = Served::new(json!({})).await;
    let mailbox = async |order_id| received(&served, order_id).await;
    conformance::post(&served.world.post, "in-process", "ada@shop.invalid", mailbox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_mail_server_and_the_sms_centre_pass_the_suite() {
    let Some((served, post)) = mail_server().await else { return };
    let mailbox = async |order_id| received(&served, order_id).await;
    // This server takes mail to any address that is one.
    conformance::post(&post, &unique(), "ada@@example.com", mailbox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_sms_centre_reach_the_client_as_what_they_are() {
    use email::mail::Post;
    let served = Served::new(json!({"post": {"fail": 1.0}})).await;
    let post = crate::mailbox::post(&served, "smtp://127.0.0.1:1");
    let sms = crate::mailbox::sms("o-1");
    assert!(matches!(post.send(&sms).await, Err(PostError::NotSent(_))));
    served.world.set(&json!({"post": {"fail": 0.0, "lose_answer": 1.0}})).unwrap();
    assert!(matches!(post.send(&sms).await, Err(PostError::Unclear(_))));
    assert_eq!(received(&served, "o-1".into()).await.len(), 1, "it was taken");
}
