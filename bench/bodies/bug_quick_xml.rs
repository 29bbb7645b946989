//! quick-xml 0.22.0, issue 344: a branch that was thought unreachable.
use quick_xml_old::events::Event;

const EVENTS_MAX: usize = 1000;

pub fn run(data: &[u8]) {
    let mut reader = quick_xml_old::Reader::from_reader(data);
    let (mut buffer, mut namespaces) = (Vec::new(), Vec::new());
    for _ in 0..EVENTS_MAX {
        match reader.read_namespaced_event(&mut buffer, &mut namespaces) {
            Ok((_, Event::Eof)) | Err(_) => break,
            Ok((_, Event::Start(element))) => {
                // Up to the first that is damaged.
                let _ = element.attributes().take_while(Result::is_ok).count();
            }
            Ok(_) => {}
        }
        buffer.clear();
    }
}
