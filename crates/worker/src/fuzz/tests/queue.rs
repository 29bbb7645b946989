//! What is said of the finds of a call.

use std::rc::Rc;

use fuzzd_protocol::value::ValueType;

use super::super::queue::Queue;
use crate::limits::QUEUE_FINDS_MAX;
use crate::mutator::Base;

fn base() -> Rc<Base> {
    Rc::new(Base::new(&[ValueType::Bytes], b"a find".to_vec()))
}

#[test]
fn finds_that_a_call_did_not_come_to_look_at_are_named_also_where_they_are_too_many() {
    let mut queue = Queue::default();
    queue.add_planned(1, true, None);
    assert!(queue.unlooked().is_empty(), "an item of the plan is no find");
    for _ in 0..QUEUE_FINDS_MAX + 2 {
        queue.add_find(0, base());
    }
    // The first of the finds stands behind the one item of the plan.
    queue.set_base(1, base());
    queue.set_base(3, base());
    let all = u32::try_from(QUEUE_FINDS_MAX + 2).unwrap();
    let expected: Vec<u32> = (0..all).filter(|number| ![0, 2].contains(number)).collect();
    assert_eq!(queue.unlooked(), expected);
}
