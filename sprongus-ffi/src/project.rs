//! `sprongus_project` and `sprongus_project_list`: projects on record.

use std::borrow::Cow;
use std::ffi::c_char;

use sprongus::projects::Project;

use crate::record::{self, List, Record, Shown, json, text};
use crate::{door, handle};

/// A project as it was when the call returned. Freed by sprongus_project_free, or with the list it came from.
pub struct sprongus_project {
    _opaque: [u8; 0],
}

/// Projects. Freed by sprongus_project_list_free, and its projects with it.
pub struct sprongus_project_list {
    _opaque: [u8; 0],
}

impl Shown for Project {
    type One = sprongus_project;
    type Many = sprongus_project_list;
    const TAGS: [u8; 2] = [21, 22];
    const NAMES: [&'static str; 2] = ["sprongus_project", "sprongus_project_list"];
}

/// Its id, by which runs, entries and artifacts name it. Borrowed; NULL for no project.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_id(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "id", |project| Some(Cow::Borrowed(&project.id)))
}

/// What people call it. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_name(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "name", |project| Some(Cow::Borrowed(&project.name)))
}

/// What addresses call it. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_slug(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "slug", |project| Some(Cow::Borrowed(&project.slug)))
}

/// Whose it is; NULL where nobody is named. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_owner(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "owner", |project| project.owner.as_deref().map(Cow::Borrowed))
}

/// Where it stands: "active", or whatever the host has set. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_status(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "status", |project| Some(Cow::Borrowed(&project.status)))
}

/// When it was created. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_created_at(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "created_at", |project| Some(Cow::Owned(project.created_at.to_string())))
}

/// When its record was last changed. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_updated_at(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "updated_at", |project| Some(Cow::Owned(project.updated_at.to_string())))
}

/// All of it as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_to_json(project: *const sprongus_project) -> *const c_char {
    text::<Project>(project, "json", |project| json(project).ok().map(Cow::Owned))
}

/// Frees a project. NULL, what is no project, and a project of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_free(project: *mut sprongus_project) {
    door::quiet(|| handle::free::<Record<Project>>(project));
}

/// How many projects there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_list_count(list: *const sprongus_project_list) -> usize {
    record::count::<Project>(list)
}

/// A project, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_list_at(
    list: *const sprongus_project_list,
    index: usize,
) -> *const sprongus_project {
    record::at::<Project>(list, index)
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_list_next_cursor(list: *const sprongus_project_list) -> *const c_char {
    record::next_cursor::<Project>(list)
}

/// All of it as JSON: an object of items and nextCursor. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_list_to_json(list: *const sprongus_project_list) -> *const c_char {
    record::list_json::<Project>(list)
}

/// Frees projects. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_project_list_free(list: *mut sprongus_project_list) {
    door::quiet(|| handle::free::<List<Project>>(list));
}
