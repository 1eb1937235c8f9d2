use super::*;

const A: Flow = Flow { tenant: 1, user: 0 };
const B: Flow = Flow { tenant: 2, user: 0 };
const C: Flow = Flow { tenant: 3, user: 0 };

fn quotas(total: usize, per_tenant: usize, revoke: Revoke) -> Arc<Quotas> {
    Quotas::new(Quota { total, per_tenant, revoke }, Gauge::default())
}

fn idle(quotas: &Arc<Quotas>, flow: Flow, count: usize) -> Vec<Lease> {
    let mut leases: Vec<_> = (0..count).map(|_| quotas.acquire(flow).unwrap()).collect();
    leases.iter_mut().for_each(Lease::make_revocable);
    leases
}

fn is_revoked(lease: &Lease) -> bool {
    lease.revocable.as_ref().is_some_and(|lease| lease.is_revoked())
}

fn revoked(leases: &[Lease]) -> Vec<usize> {
    (0..leases.len()).filter(|index| is_revoked(&leases[*index])).collect()
}

#[test]
fn a_tenant_never_exceeds_its_quota() {
    let quotas = quotas(100, 3, Revoke::Oldest);
    let held = idle(&quotas, A, 3);
    assert_eq!(quotas.acquire(A).err(), Some(Exceeded::Tenant));
    assert!(revoked(&held).is_empty() && quotas.acquire(B).is_ok());
    drop(held);
    assert!(quotas.acquire(A).is_ok());
}

#[test]
fn two_users_of_one_tenant_have_one_quota_and_share_it_evenly() {
    let quotas = quotas(100, 4, Revoke::Oldest);
    let other = Flow { user: 1, ..A };
    let held = idle(&quotas, A, 4);
    let of_other = idle(&quotas, other, 2);
    assert_eq!(revoked(&held), [0, 1], "the oldest of the user with the most");
    assert_eq!(quotas.acquire(other).err(), Some(Exceeded::Tenant), "both have two");
    assert_eq!(quotas.acquire(A).err(), Some(Exceeded::Tenant));
    assert!(revoked(&of_other).is_empty());
}

#[test]
fn the_largest_tenant_loses_its_least_recently_active_lease() {
    let quotas = quotas(10, 10, Revoke::Oldest);
    let largest = idle(&quotas, A, 7);
    let smaller = idle(&quotas, B, 3);
    largest[0].touch();
    largest[1].pin();
    let newcomers = idle(&quotas, C, 3);
    assert_eq!(revoked(&largest), [2, 3, 4]);
    largest[1].touch();
    assert_eq!(newcomers.len(), 3);
    // Nobody would still hold more than it after giving way.
    let more = idle(&quotas, C, 1);
    assert!(revoked(&smaller).is_empty());
    assert_eq!(revoked(&newcomers), [0], "its own");
    assert!(revoked(&more).is_empty());
}

#[test]
fn a_part_is_reserved_for_tenants_without_leases() {
    let quotas = quotas(32, 32, Revoke::Newest);
    let busy: Vec<_> = (0..30).map(|_| quotas.acquire(A).unwrap()).collect();
    assert_eq!(quotas.acquire(A).err(), Some(Exceeded::Total));
    let (b, c) = (quotas.acquire(B), quotas.acquire(C));
    assert!(b.is_ok() && c.is_ok());
    assert_eq!(
        quotas.acquire(B).err(),
        Some(Exceeded::Total),
        "it holds one, and nobody can give way"
    );
    drop(busy);
    assert!(quotas.acquire(A).is_ok());
}

#[test]
fn the_newest_lease_of_the_largest_tenant_is_revoked_for_others_only() {
    let quotas = quotas(8, 9, Revoke::Newest);
    let largest = idle(&quotas, A, 8);
    assert_eq!(quotas.acquire(A).err(), Some(Exceeded::Total));
    let newcomer = idle(&quotas, B, 2);
    assert_eq!(revoked(&largest), [6, 7]);
    assert!(revoked(&newcomer).is_empty());
}

#[test]
fn revoked_and_dropped_leases_are_counted_once() {
    let quotas = quotas(4, 4, Revoke::Oldest);
    for _ in 0..100 {
        let mut held = idle(&quotas, A, 4);
        held.extend(idle(&quotas, B, 2));
        assert_eq!(revoked(&held), [0, 1]);
        assert_eq!(quotas.open(), 6, "nobody has noticed yet");
        drop(held);
        assert_eq!(quotas.open(), 0);
    }
    assert!(!quotas.revoke_one(), "there is nothing to take");
    let held = idle(&quotas, A, 1);
    assert!(quotas.revoke_one() && is_revoked(&held[0]) && !quotas.revoke_one());
}

#[test]
fn tenants_without_leases_are_forgotten() {
    let quotas = quotas(10_000, 10_000, Revoke::Oldest);
    let kept = idle(&quotas, A, 1);
    for tenant in 10..5_000 {
        drop(idle(&quotas, Flow { tenant, user: 3 }, 1));
    }
    assert!(quotas.usage.lock().tenants() <= 1_026, "{}", quotas.usage.lock().tenants());
    assert!(quotas.revoke_one() && is_revoked(&kept[0]));
}

#[tokio::test]
async fn a_holder_is_notified_of_the_revocation() {
    let quotas = quotas(2, 2, Revoke::Oldest);
    let held = idle(&quotas, A, 2);
    let told = tokio::spawn(held[0].revoked());
    tokio::task::yield_now().await;
    assert!(!told.is_finished());
    let _other = quotas.acquire(B).unwrap();
    told.await.unwrap();
    let closed = Arc::clone(&quotas);
    let closed = tokio::spawn(async move { closed.all_released().await });
    tokio::task::yield_now().await;
    assert!(!closed.is_finished());
    drop((held, _other));
    closed.await.unwrap();
}
