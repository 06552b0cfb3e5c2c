//! Texts of signing in at a provider.

use super::messages;

messages! {
    sign_in_with(name): "Sign in with {name}", "Se connecter avec {name}";
    sign_in_administrators: "Administrators: sign in with a password", "Administrateurs : se connecter par mot de passe";
    sign_out_of(name): "Sign out at {name} too", "Se déconnecter aussi de {name}";
    provider_down: "The sign-in provider cannot be reached, or answers in a way that cannot be used. Try again in a moment, or sign in another way.", "Le fournisseur de connexion est injoignable, ou sa réponse est inutilisable. Réessayez dans un instant, ou connectez-vous autrement.";
    provider_not_believed: "The provider’s answer could not be verified, so nobody was signed in. Try again; if it stays so, tell an administrator: the audit has the cause.", "La réponse du fournisseur n’a pas pu être vérifiée ; personne n’a été connecté. Réessayez ; si cela persiste, prévenez un administrateur : l’audit en donne la cause.";
    provider_denied: "The sign-in was cancelled or refused at the provider.", "La connexion a été annulée ou refusée chez le fournisseur.";
    provider_stale: "This sign-in is too old, was used already, or was begun in another browser. Start again here.", "Cette connexion est trop ancienne, a déjà servi, ou a été commencée dans un autre navigateur. Recommencez ici.";
    provider_disabled: "Your user is disabled in this portal. An administrator can enable it.", "Votre utilisateur est désactivé dans ce portail. Un administrateur peut le réactiver.";
    no_role_title: "You are signed in, without a role", "Vous êtes connecté, sans rôle";
    no_role_as(name): "Here you are the user {name}.", "Ici, vous êtes l’utilisateur {name}.";
    no_role_absent: "The provider did not tell your groups, so none could give you a role.", "Le fournisseur n’a pas transmis vos groupes ; aucun n’a donc pu vous donner de rôle.";
    no_role_odd: "What the provider told as your groups is not a list of groups, so none could give you a role.", "Ce que le fournisseur a transmis comme groupes n’est pas une liste de groupes ; aucun n’a donc pu vous donner de rôle.";
    no_role_none: "None of the groups that the provider told gives a role here.", "Aucun des groupes transmis par le fournisseur ne donne de rôle ici.";
    no_role_not_asked: "Roles are given by hand here, and nobody has given you one yet.", "Ici, les rôles sont donnés à la main, et personne ne vous en a encore donné.";
    no_role_next: "An administrator of the portal can give you one; with a role of a group, sign in again to get it.", "Un administrateur du portail peut vous en donner un ; pour un rôle venant d’un groupe, reconnectez-vous.";
    role_from(group, provider): "by the group {group} at {provider}", "par le groupe {group} chez {provider}";
    access_sign_in: "Sign-in", "Connexion";
    sign_in_by_password: "You can sign in with your password.", "Vous pouvez vous connecter avec votre mot de passe.";
    col_provider: "Provider", "Fournisseur";
    link_no_providers: "There is no provider to sign in with here.", "Il n’y a ici aucun fournisseur de connexion.";
    link_title(name): "Sign in with {name} as well", "Se connecter aussi avec {name}";
    link_text: "Give your password, and then sign in at the provider: who you are there will be this user.", "Donnez votre mot de passe, puis connectez-vous chez le fournisseur : qui vous y êtes sera cet utilisateur.";
    confirm_title: "Confirm who you are", "Confirmez votre identité";
    confirm_text(name): "You are signed in as {name}. Acts in production and breaking the glass ask for it from time to time: an open session alone is not enough.", "Vous êtes connecté en tant que {name}. Les actes en production et le bris de glace le demandent de temps en temps : une session ouverte ne suffit pas.";
    confirm_submit: "Confirm", "Confirmer";
    confirm_at(name): "Confirm at {name}", "Confirmer chez {name}";
    confirm_no_way: "You have neither a password here nor a provider that is configured. Sign out and in again, or ask an administrator.", "Vous n’avez ni mot de passe ici, ni fournisseur configuré. Déconnectez-vous puis reconnectez-vous, ou demandez à un administrateur.";
    confirm_first: "No password here? Confirm at your sign-in provider first, and come back.", "Pas de mot de passe ici ? Confirmez d’abord chez votre fournisseur de connexion, puis revenez.";
    confirm_known: "You have just confirmed who you are.", "Vous venez de confirmer votre identité.";
    link_submit: "Go on", "Continuer";
    link_go_on_text: "The password fits. Now sign in at the provider; afterwards you are back here.", "Le mot de passe est bon. Connectez-vous maintenant chez le fournisseur ; vous reviendrez ensuite ici.";
    link_go_on: "Sign in at the provider", "Se connecter chez le fournisseur";
    sessions_end_all: "End all sessions", "Terminer toutes les sessions";
    sessions_end_all_hint: "The present one too, in every browser.", "La présente aussi, dans tous les navigateurs.";
}
