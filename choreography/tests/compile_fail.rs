//! What a service author reads when the types refuse a service. The `.stderr` beside each case is that text; it is
//! written anew by `TRYBUILD=overwrite cargo test -p choreography --test compile_fail`.

#[test]
fn the_types_refuse_what_would_be_wrong() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
