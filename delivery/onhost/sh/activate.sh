# Makes release $AS_RELEASE live: commands before, drain, switch, restart, health, commands after, return.
begin
to=${AS_RELEASE-}
put_live switched
