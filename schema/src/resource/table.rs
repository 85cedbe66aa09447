//! The table of resource types: a new one is a line here.

/// Calls a macro with every resource type: what it is, the variant and the name of its collection, the variant of
/// [`super::Spec`] and the attributes in it. The order is that of addresses in manifests and reports.
macro_rules! for_each_resource_type {
    ($call:ident) => {
        $call! {
            /// Directories, by absolute path.
            Directories "directories" Directory(DirectorySpec);
            /// Regular files, by absolute path.
            Files "files" File(FileSpec);
            /// Symbolic links, by absolute path.
            Links "links" Link(LinkSpec);
            /// Files from elsewhere, by a free name.
            Downloads "downloads" Download(DownloadSpec);
            /// Archives that are unpacked, by a free name.
            Archives "archives" Archive(Box<ArchiveSpec>);
            /// Files of commits, by a free name.
            Checkouts "checkouts" Checkout(Box<CheckoutSpec>);
            /// Certificates and their keys, by a free name.
            Certificates "certificates" Certificate(Box<CertificateSpec>);
            /// Single lines in files of others, by a free name.
            Lines "lines" Line(LineSpec);
            /// Blocks of lines in files of others, by a free name.
            Blocks "blocks" Block(Box<BlockSpec>);
            /// Single settings in configuration files of others, by a free name.
            SettingsFiles "settings_files" SettingsFile(Box<SettingsFileSpec>);
            /// Groups of the account database, by name.
            Groups "groups" Group(GroupSpec);
            /// Users of the account database, by name.
            Users "users" User(UserSpec);
            /// Repositories of packages, by a free name.
            Repositories "repositories" Repository(Box<RepositorySpec>);
            /// Packages of the host's package manager, by name.
            Packages "packages" Package(PackageSpec);
            /// Services of the host's service manager, by name.
            Services "services" Service(ServiceSpec);
            /// Entries of cron, by a free name.
            Cron "cron" Cron(CronSpec);
            /// Timers of systemd, by a free name.
            Timers "timers" Timer(TimerSpec);
            /// Containers by podman, by the container's name.
            Containers "containers" Container(Box<ContainerSpec>);
            /// Unit files of systemd, by the name of the unit.
            Units "units" Unit(UnitSpec);
            /// Commands with guards, by a free name.
            Commands "commands" Command(Box<CommandSpec>);
            /// Keys that may log in as a user, by a free name.
            AuthorizedKeys "authorized_keys" AuthorizedKeys(AuthorizedKeysSpec);
            /// Rules of sudo, by a free name.
            SudoRules "sudo_rules" SudoRule(SudoRuleSpec);
            /// Parameters of the kernel, by key.
            Sysctls "sysctls" Sysctl(SysctlSpec);
            /// Modules of the kernel, by name.
            KernelModules "kernel_modules" KernelModule(KernelModuleSpec);
            /// Mounted file systems, by the folder.
            Mounts "mounts" Mount(MountSpec);
            /// The name of the host; its id is `system`.
            Hostname "hostname" Hostname(HostnameSpec);
            /// The host's time zone; its id is `system`.
            Timezone "timezone" Timezone(TimezoneSpec);
            /// The host's language and customs; its id is `system`.
            Locale "locale" Locale(LocaleSpec);
            /// Entries of the hosts file, by the first name.
            Hosts "hosts" HostEntry(HostEntrySpec);
            /// What the firewall lets in, by a free name.
            Firewall "firewall" Firewall(FirewallSpec);
            /// Whether the host is well, by a free name.
            Checks "checks" Check(Box<CheckSpec>);
            /// Reboots that are owed; its id is `system`.
            Reboot "reboot" Reboot(RebootSpec);
        }
    };
}
pub(crate) use for_each_resource_type;
