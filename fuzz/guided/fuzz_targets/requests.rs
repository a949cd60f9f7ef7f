//! Hands the target to libFuzzer.

#![no_main]

use fuzz::requests::Routes;

// Without its routes there is nothing to fuzz, so that it ends here is right.
thread_local! { static ROUTES: Routes = Routes::new().expect("routes"); }

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ROUTES.with(|routes| _ = routes.send(bytes)));
