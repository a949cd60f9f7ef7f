//! The closed vocabularies of the contract: reasons, participants, templates. Each word is spelt the same in Avro, in
//! JSON, in the HTTP API and in metric labels.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Writes an enum whose words have one spelling everywhere.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $word:ident = $spelt:literal),+ $(,)? })+) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $spelt)] $word),+ }

        impl $name {
            /// Every word, in the order of the schema.
            pub const ALL: &'static [$name] = &[$($name::$word),+];

            /// The word as it is spelt in events, in JSON and in labels.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$word => $spelt),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+ };
}

words! {
    /// Why an order was cancelled.
    CancelReason {
        /// Inventory could not reserve every line.
        OutOfStock = "out_of_stock",
        /// The charge was refused.
        PaymentDeclined = "payment_declined",
        /// No carrier takes the parcel.
        NoCarrier = "no_carrier",
        /// It was not confirmed in time.
        Deadline = "deadline",
        /// The customer asked for it.
        Customer = "customer",
    }

    /// A service that takes part in an order and answers its cancellation with exactly one closing event.
    Participant {
        /// Holds the stock.
        Inventory = "inventory",
        /// Holds the money.
        Payment = "payment",
        /// Holds the parcel.
        Shipping = "shipping",
    }

    /// Who made shipping ask the carrier to void a label.
    CancelledBy {
        /// The order was cancelled.
        OrderCancelled = "order_cancelled",
        /// The customer asked for it after the order was confirmed.
        Customer = "customer",
        /// The carrier did not collect in time.
        PickUpDeadline = "pick_up_deadline",
        /// The carrier gave the parcel up.
        Carrier = "carrier",
    }

    /// Why a charge was not made.
    DeclineReason {
        /// The gateway declined.
        Declined = "declined",
        /// The account does not cover it.
        InsufficientFunds = "insufficient_funds",
        /// It was asked too late to be of use, and the gateway knows nothing of it.
        Stale = "stale",
        /// The customer's key is gone, so nobody can read the payment token.
        Forgotten = "forgotten",
    }

    /// Why there is no label.
    NoLabelReason {
        /// The carrier does not go there.
        CountryNotServed = "country_not_served",
        /// The carrier cannot read the address.
        AddressRefused = "address_refused",
        /// It was asked too late to be of use, and the carrier knows nothing of it.
        Stale = "stale",
        /// The customer's key is gone, so nobody can read the address.
        Forgotten = "forgotten",
    }

    /// What a message to the customer says.
    Template {
        /// The order is confirmed.
        Confirmed = "confirmed",
        /// The wish to cancel a confirmed order was passed on.
        CancellationRequested = "cancellation_requested",
        /// The parcel is on its way.
        Dispatched = "dispatched",
        /// The wish to cancel came after the parcel had left.
        TooLateToCancel = "too_late_to_cancel",
        /// The parcel has arrived.
        Delivered = "delivered",
        /// The order is cancelled.
        Cancelled = "cancelled",
        /// Everything is undone, the money is back.
        Undone = "undone",
    }

    /// Why a message was not sent.
    NotSentReason {
        /// The server refused the address.
        AddressRefused = "address_refused",
        /// The customer's key is gone, so nobody can read the address.
        Forgotten = "forgotten",
        /// It may have been sent, and this template is rather not sent twice.
        NotResent = "not_resent",
    }
}
