//! A directory of 50,000 objects that another S3 client made.

use std::collections::HashSet;
use std::pin::pin;

use conformance::Objects;
use futures::stream::{self, StreamExt, TryStreamExt};
use nfs_client_sim::{Client, ListingSize, USUAL_ATTRIBUTES};
use nfs4_protocol::nfs4::{FATTR4_FILEHANDLE, FATTR4_MOUNTED_ON_FILEID, FATTR4_RDATTR_ERROR, NfsFh4};

const DIRECTORY: &str = "many";
const OBJECTS: usize = 50_000;
/// PUTs in flight.
const IN_FLIGHT: usize = 64;
/// What a kernel with large pages for listings asks for.
pub(crate) const LARGE_PAGE: u32 = 1 << 20;
/// What older kernels ask for.
pub(crate) const SMALL_PAGE: u32 = 32 << 10;

/// Objects of 0 to 99 bytes.
fn size(number: usize) -> usize {
    number % 100
}

/// Makes the objects.
pub(crate) async fn fill(objects: &Objects) {
    let put = |number| async move { objects.put(&format!("{DIRECTORY}/{number}"), vec![0; size(number)]).await };
    stream::iter(0..OBJECTS).map(put).buffer_unordered(IN_FLIGHT).for_each(|()| async {}).await;
}

/// Lists the directory with attributes, as `ls -l` does, with replies of up to `page` bytes, and looks for each object
/// exactly once.
pub(crate) async fn check(client: &Client, root: &NfsFh4, page: u32) {
    let directory = client.lookup(root, DIRECTORY).await.unwrap().handle;
    let page = ListingSize { dircount: page, maxcount: page };
    let further = [FATTR4_RDATTR_ERROR, FATTR4_FILEHANDLE, FATTR4_MOUNTED_ON_FILEID];
    let attributes = [USUAL_ATTRIBUTES, &further].concat();
    let mut entries = pin!(client.readdir(&directory, page, &attributes));
    let (mut numbers, mut fileids) = (HashSet::new(), HashSet::new());
    while let Some(entry) = entries.try_next().await.unwrap() {
        let number: usize = std::str::from_utf8(&entry.name).unwrap().parse().unwrap();
        let attrs = entry.attrs.parse().unwrap();
        assert!(number < OBJECTS && numbers.insert(number), "{number}");
        assert_eq!(attrs.size, Some(size(number) as u64), "size of {number}");
        assert!(attrs.mode.is_some() && attrs.filehandle.is_some(), "attributes of {number}");
        assert!(fileids.insert(attrs.fileid.unwrap()), "fileid of {number}");
    }
    assert_eq!(numbers.len(), OBJECTS);
}
