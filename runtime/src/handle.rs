//! A running service as its HTTP API and the other parts of its process see it.

use choreography::{Input, Key, Refused, State};
use std::{future::Future, time::Duration};
