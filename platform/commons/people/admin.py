"""Staff pages of people. Secrets are never shown: there are only their hashes."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons.errors import CityError
from commons.people import services
from commons.people.leaving import leave
from commons.people.models import ApiToken, Membership, Organisation, User

if TYPE_CHECKING:
    Members = admin.TabularInline[Membership, Organisation]
    OrganisationModelAdmin = admin.ModelAdmin[Organisation]
    TokenModelAdmin = admin.ModelAdmin[ApiToken]
    AccountAdmin = UserAdmin[User]
else:
    Members = admin.TabularInline
    OrganisationModelAdmin = TokenModelAdmin = admin.ModelAdmin
    AccountAdmin = UserAdmin


@admin.register(User)
class PersonAdmin(AccountAdmin):
    """Accounts. The name is also the handle, so it is chosen once."""

    list_display = ("username", "name", "email", "is_staff", "is_active", "demo")
    list_filter = ("is_staff", "is_active", "demo")
    search_fields = ("username", "name", "email")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("name", "email", "home", "demo")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name of an account that exists stays."""
        return ("username", "last_login", "date_joined") if obj else ()

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What would go is not listed by table: a person leaves whole, or is forgotten where books must stay."""
        people = [str(person) for person in objs]
        return people, {str(User._meta.verbose_name_plural): len(people)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """The person leaves."""
        self._let_go(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """These people leave, as far as they can."""
        for person in queryset:
            self._let_go(request, person)

    def _let_go(self, request: HttpRequest, person: User) -> None:
        key = person.pk
        try:
            if not leave(user=person):
                said = _("Books must stay, so the account is kept as %(name)s, without anything that names the person.")
                messages.info(request, said % {"name": f"former-{key}"})
        except CityError as refusal:
            messages.error(request, str(refusal.sentence))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new account claims its handle."""
        super().save_model(request, obj, form, change)
        if not change:
            services.adopt_handle(user=obj)


class MembersInline(Members):
    """Who belongs to the organisation."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Organisation)
class OrganisationAdmin(OrganisationModelAdmin):
    """Organisations are founded on the site, where they claim their handle."""

    list_display = ("name", "kind", "created_at", "demo")
    list_filter = ("kind", "demo")
    search_fields = ("name",)
    inlines = (MembersInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Not here: a handle must be claimed."""
        return False


@admin.register(ApiToken)
class TokenAdmin(TokenModelAdmin):
    """Tokens may be seen by their first letters, and revoked."""

    list_display = ("prefix", "name", "user", "created_at", "expires_at", "revoked_at", "last_used_at")
    search_fields = ("name", "prefix", "user__username")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Their owners make them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Nothing of a token can be changed."""
        return False

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """End them at once."""
        queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
