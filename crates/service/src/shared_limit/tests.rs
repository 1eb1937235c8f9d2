use super::*;

const A: Flow = Flow { tenant: 1, user: 0 };
const B: Flow = Flow { tenant: 2, user: 0 };
const C: Flow = Flow { tenant: 3, user: 0 };

fn limit(total: usize, per_tenant: usize, yields: Yields) -> Arc<SharedLimit> {
    SharedLimit::new(Quota { total, per_tenant, yields }, Gauge::default())
}

fn idle(limit: &Arc<SharedLimit>, flow: Flow, count: usize) -> Vec<Lease> {
    let mut leases: Vec<_> = (0..count).map(|_| limit.take(flow).unwrap()).collect();
    leases.iter_mut().for_each(Lease::offer);
    leases
}

fn is_gone(lease: &Lease) -> bool {
    lease.hold.as_ref().is_some_and(|hold| hold.is_gone())
}

fn gone(leases: &[Lease]) -> Vec<usize> {
    (0..leases.len()).filter(|index| is_gone(&leases[*index])).collect()
}

#[test]
fn a_tenant_has_its_quota_and_no_more() {
    let limit = limit(100, 3, Yields::Oldest);
    let held = idle(&limit, A, 3);
    assert_eq!(limit.take(A).err(), Some(Exceeded::Tenant));
    assert!(gone(&held).is_empty() && limit.take(B).is_ok());
    drop(held);
    assert!(limit.take(A).is_ok());
}

#[test]
fn two_users_of_one_tenant_have_one_quota_and_share_it_evenly() {
    let limit = limit(100, 4, Yields::Oldest);
    let other = Flow { user: 1, ..A };
    let held = idle(&limit, A, 4);
    let of_other = idle(&limit, other, 2);
    assert_eq!(gone(&held), [0, 1], "the oldest of the user with the most");
    assert_eq!(limit.take(other).err(), Some(Exceeded::Tenant), "both have two");
    assert_eq!(limit.take(A).err(), Some(Exceeded::Tenant));
    assert!(gone(&of_other).is_empty());
}

#[test]
fn the_largest_tenant_loses_what_has_been_idle_for_longest() {
    let limit = limit(10, 10, Yields::Oldest);
    let largest = idle(&limit, A, 7);
    let smaller = idle(&limit, B, 3);
    largest[0].touch();
    largest[1].pin();
    let newcomers = idle(&limit, C, 3);
    assert_eq!(gone(&largest), [2, 3, 4]);
    largest[1].touch();
    assert_eq!(newcomers.len(), 3);
    // Nobody would still hold more than it after giving way.
    let more = idle(&limit, C, 1);
    assert!(gone(&smaller).is_empty());
    assert_eq!(gone(&newcomers), [0], "its own");
    assert!(gone(&more).is_empty());
}

#[test]
fn a_part_is_reserved_for_tenants_that_hold_nothing() {
    let limit = limit(32, 32, Yields::Newest);
    let busy: Vec<_> = (0..30).map(|_| limit.take(A).unwrap()).collect();
    assert_eq!(limit.take(A).err(), Some(Exceeded::Total));
    let (b, c) = (limit.take(B), limit.take(C));
    assert!(b.is_ok() && c.is_ok());
    assert_eq!(limit.take(B).err(), Some(Exceeded::Total), "it holds one, and nobody can give way");
    drop(busy);
    assert!(limit.take(A).is_ok());
}

#[test]
fn the_newest_of_the_largest_gives_way_and_not_for_another_one_of_its_own() {
    let limit = limit(8, 9, Yields::Newest);
    let largest = idle(&limit, A, 8);
    assert_eq!(limit.take(A).err(), Some(Exceeded::Total));
    let newcomer = idle(&limit, B, 2);
    assert_eq!(gone(&largest), [6, 7]);
    assert!(gone(&newcomer).is_empty());
}

#[test]
fn everything_that_is_taken_away_or_dropped_is_counted_once() {
    let limit = limit(4, 4, Yields::Oldest);
    for _ in 0..100 {
        let mut held = idle(&limit, A, 4);
        held.extend(idle(&limit, B, 2));
        assert_eq!(gone(&held), [0, 1]);
        assert_eq!(limit.open(), 6, "nobody has noticed yet");
        drop(held);
        assert_eq!(limit.open(), 0);
    }
    assert!(!limit.shrink(), "there is nothing to take");
    let held = idle(&limit, A, 1);
    assert!(limit.shrink() && is_gone(&held[0]) && !limit.shrink());
}

#[test]
fn tenants_that_hold_nothing_are_forgotten() {
    let limit = limit(10_000, 10_000, Yields::Oldest);
    let kept = idle(&limit, A, 1);
    for tenant in 10..5_000 {
        drop(idle(&limit, Flow { tenant, user: 3 }, 1));
    }
    assert!(limit.holders().tenants() <= 1_026, "{}", limit.holders().tenants());
    assert!(limit.shrink() && is_gone(&kept[0]));
}

#[tokio::test]
async fn a_holder_is_told_that_it_has_to_give_way() {
    let limit = limit(2, 2, Yields::Oldest);
    let held = idle(&limit, A, 2);
    let told = tokio::spawn(held[0].taken_away());
    tokio::task::yield_now().await;
    assert!(!told.is_finished());
    let _other = limit.take(B).unwrap();
    told.await.unwrap();
    let closed = Arc::clone(&limit);
    let closed = tokio::spawn(async move { closed.all_closed().await });
    tokio::task::yield_now().await;
    assert!(!closed.is_finished());
    drop((held, _other));
    closed.await.unwrap();
}
