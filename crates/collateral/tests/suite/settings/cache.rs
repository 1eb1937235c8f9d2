//! The directory of the cache.

use std::path::Path;

use crate::settings::place::Place;

#[test]
fn each_user_has_a_cache() {
    let directory = |place: &Place| place.settings().cache.directory;
    let is = |path: &str| Some(Path::new(path).to_owned());

    let mut place = Place::new();
    assert_eq!(directory(&place), is("/home/ada/.cache/quote-helper/collateral"));
    place.machine.uses_system_cache = true;
    assert_eq!(directory(&place), is("/var/cache/quote-helper/collateral"));
    let place = place.with("XDG_CACHE_HOME", "/scratch");
    assert_eq!(directory(&place), is("/scratch/quote-helper/collateral"));
    let place = place.with("AZDCAP_CACHE", "/azure");
    assert_eq!(directory(&place), is("/azure/.quote-helper/collateral"));
    let place = place.with_config("[collateral]\ncache_dir = '/mine'");
    assert_eq!(directory(&place), is("/mine"));
    let place = place.with("QUOTE_HELPER_COLLATERAL_CACHE_DIR", "/theirs");
    assert_eq!(directory(&place), is("/theirs"));
}

#[test]
fn answers_stay_in_memory_without_a_directory() {
    for place in [
        Place::new().with("HOME", ""),
        Place::new().with("HOME", "relative").with("XDG_CACHE_HOME", "relative"),
    ] {
        let settings = place.settings();
        assert_eq!(settings.cache.directory, None);
        assert!(settings.to_string().contains("kept in memory only"), "{settings}");
    }
}
