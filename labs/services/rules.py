"""Set and end rules of a lab. A rule is never rewritten: a change ends it and adds another, so all of it is history."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.engine import rules as engine
from labs.engine.rules import Row, Sort
from labs.errors.rules import BadRule, RulesChanged, UnknownRule
from labs.models import BookingRule, Lab, Machine, RuleSet
from labs.queries import rule_words


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and for whom: a machine, a class of machines or (neither) the whole lab; a role or (empty) everybody."""

    machine: Machine | None = None
    cls: str = ""
    role: str = ""


EVERYBODY = Scope()


def candidate(*, lab: Lab, name: str, text: str, scope: Scope = EVERYBODY) -> Row:
    """The rule as the engine would read it; an empty text says “no limit”. Raises BadRule."""
    sort = engine.SORTS.get(name)
    if sort is None:
        raise BadRule(_("There is no rule called “%(name)s”.") % {"name": name[:40]}, field="name")
    if scope.machine is not None and (scope.machine.lab_id != lab.pk or scope.cls):
        raise BadRule(_("A rule is for one machine of this lab, or for a class, or for all of it."), field="machine")
    if scope.cls and scope.cls not in Machine.Kind.values:
        raise BadRule(_("There is no class “%(cls)s”.") % {"cls": scope.cls[:40]}, field="class")
    if scope.role and scope.role not in engine.ROLES:
        raise BadRule(
            _("A role is one of: %(roles)s; not “%(role)s”.")
            % {"roles": ", ".join(engine.ROLES), "role": scope.role[:20]},
            field="role",
        )
    machine = scope.machine.pk if scope.machine is not None else None
    return Row(name, _value(name, sort, text), machine, scope.cls, scope.role)


def _value(name: str, sort: Sort, text: str) -> engine.Value | None:
    if not text.strip():
        return None
    try:
        return engine.read(name, text)
    except engine.Unreadable as wrong:
        words = {"rule": rule_words.TITLES[name], "part": wrong.part[:60]}
        if sort.kind == "flag":
            sentence = _("%(rule)s: write yes or no, not “%(part)s”.") % words
        elif sort.kind == "week":
            sentence = _("%(rule)s: “%(part)s” cannot be read; write for example mon-fri 16:00-18:00.") % words
        else:
            words |= {"low": f"{sort.low:g}", "high": f"{sort.high:g}", "unit": str(rule_words.UNITS[sort.kind])}
            sentence = (
                _("%(rule)s: write a number from %(low)s to %(high)s %(unit)s, not “%(part)s”.") % words
                if sort.kind not in {"minutes", "days", "count"}
                else _("%(rule)s: write a whole number from %(low)s to %(high)s %(unit)s, not “%(part)s”.") % words
            )
        raise BadRule(sentence, field="value") from None


@transaction.atomic
def set_rule(
    *, lab: Lab, name: str, text: str, by: User | None, scope: Scope = EVERYBODY, revision: int | None = None
) -> BookingRule:
    """Let a rule hold from now on, in place of the one with the same name, scope and role.

    With `revision` it refuses when the rules were changed since that one was read. Raises BadRule, RulesChanged.
    """
    row = candidate(lab=lab, name=name, text=text, scope=scope)
    _turn(lab, revision)
    now = timezone.now()
    held = BookingRule.objects.filter(
        lab=lab, active=True, name=name, machine=scope.machine, cls=scope.cls, role=scope.role
    ).first()
    value = _text(row.value)
    if held is not None and held.value == value:
        return held
    if held is not None:
        _end(held, by)
    return BookingRule.objects.create(
        lab=lab,
        name=name,
        value=value,
        unit=engine.SORTS[name].kind,
        machine=scope.machine,
        cls=scope.cls,
        role=scope.role,
        since=now,
        by=by,
    )


def _text(value: engine.Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else value


@transaction.atomic
def end_rule(*, lab: Lab, key: int, by: User | None, revision: int | None = None) -> BookingRule:
    """Let a rule hold no longer; what is wider holds again. Raises UnknownRule, RulesChanged."""
    _turn(lab, revision)
    held = BookingRule.objects.filter(lab=lab, pk=key, active=True).first()
    if held is None:
        raise UnknownRule(_("This rule has ended already, or it is another lab's."))
    return _end(held, by)


def _end(held: BookingRule, by: User | None) -> BookingRule:
    held.active, held.until, held.ended_by = False, timezone.now(), by
    held.save(update_fields=["active", "until", "ended_by"])
    return held


def _turn(lab: Lab, revision: int | None) -> RuleSet:
    """Lock the lab's rules and count the change."""
    RuleSet.objects.get_or_create(lab=lab, defaults={"demo": lab.demo})
    found = RuleSet.objects.select_for_update(no_key=True).get(lab=lab)
    if revision is not None and revision != found.revision:
        raise RulesChanged(
            _("Somebody changed the rules of %(lab)s meanwhile; read them again.") % {"lab": lab.name},
            revision=found.revision,
        )
    found.revision += 1
    found.save(update_fields=["revision", "changed_at"])
    return found
