//! Given a mailbox, when the shop sends, then this lies in it.

use super::{Answer, Channel, Letter};
use crate::{
    NoAnswer,
    testing::{Scene, crash_image},
};
use serde_json::json;

fn mail(order_id: &str, message_id: &str) -> Letter {
    Letter {
        order_id: order_id.into(),
        channel: Channel::Mail,
        template: "confirmed".into(),
        to: "a@example.com".into(),
        subject: "Your order".into(),
        body: "Hello,\nit is confirmed.".into(),
        message_id: message_id.into(),
    }
}

fn sms(to: &str) -> Letter {
    Letter { channel: Channel::Sms, to: to.into(), subject: String::new(), ..mail("o-1", "m-1") }
}

#[tokio::test]
async fn what_is_taken_can_be_read_by_order_and_in_pages() {
    let scene = Scene::new(json!({}));
    for (order_id, message_id) in [("o-1", "m-1"), ("o-2", "m-2"), ("o-1", "m-3")] {
        assert_eq!(scene.world.post.take(mail(order_id, message_id)).await, Ok(Answer::Taken));
    }
    let ids = async |order_id: Option<&'static str>, after, limit| {
        let page = scene.world.post.messages(order_id, after, limit).await.expect("a page");
        page.into_iter().map(|message| message.message_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 0, 10).await, ["m-1", "m-2", "m-3"]);
    assert_eq!(ids(None, 1, 1).await, ["m-2"]);
    assert_eq!(ids(Some("o-1"), 0, 10).await, ["m-1", "m-3"]);
    let first = scene.world.post.messages(Some("o-2"), 0, 1).await.expect("a page").remove(0);
    assert_eq!((first.to.as_str(), first.subject.as_str()), ("a@example.com", "Your order"));
    assert_eq!((first.body.as_str(), first.template.as_str()), ("Hello,\nit is confirmed.", "confirmed"));
    assert_eq!((first.channel, first.copies), (Channel::Mail, 1));
}

#[tokio::test]
async fn a_copy_is_counted_and_not_stored_again_also_after_a_crash() {
    let scene = Scene::new(json!({}));
    assert_eq!(scene.world.post.take(mail("o-1", "m-1")).await, Ok(Answer::Taken));
    let scene = Scene::at(crash_image(scene.folder.path()), json!({}));
    assert_eq!(scene.world.post.take(mail("o-1", "m-1")).await, Ok(Answer::Taken));
    assert_eq!(scene.world.post.take(sms("+4930123456")).await, Ok(Answer::Taken));
    let messages = scene.world.post.messages(Some("o-1"), 0, 10).await.expect("a page");
    let seen: Vec<_> = messages.into_iter().map(|message| (message.channel, message.copies)).collect();
    assert_eq!(seen, [(Channel::Mail, 2), (Channel::Sms, 1)]);
}

#[tokio::test]
async fn what_can_never_arrive_is_refused() {
    let scene = Scene::new(json!({}));
    for to in ["nobody", "@example.com", "a@", "a@shop.invalid", "a@INVALID", "a@example.com\r\nBcc: b@example.com"] {
        let answer = scene.world.post.take(Letter { to: to.into(), ..mail("o-1", "m-1") }).await;
        assert!(matches!(answer, Ok(Answer::Refused(_))), "{to:?}: {answer:?}");
    }
    for to in ["", "+", "030 1234", "+0301234", "+49-30"] {
        let answer = scene.world.post.take(sms(to)).await;
        assert!(matches!(answer, Ok(Answer::Refused(_))), "{to:?}: {answer:?}");
    }
    assert!(scene.world.post.messages(None, 0, 10).await.expect("a page").is_empty());
}

#[tokio::test]
async fn faults_strike_before_or_after_the_work() {
    let scene = Scene::new(json!({"post": {"fail": 1.0}}));
    assert_eq!(scene.world.post.take(mail("o-1", "not sent")).await, Err(NoAnswer::Refused));
    scene.world.set(&json!({"post": {"fail": 0, "lose_answer": 1, "delay_ms": 1}})).expect("set");
    assert_eq!(scene.world.post.take(mail("o-1", "perhaps sent")).await, Err(NoAnswer::Lost));
    let messages = scene.world.post.messages(None, 0, 10).await.expect("a page");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].message_id, "perhaps sent");
}
